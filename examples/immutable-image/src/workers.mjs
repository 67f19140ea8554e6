/** Services that the application registers at run time, supervised by s6-svscan of the application's user. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Scan directory of s6-svscan in this container. */
const SCAN = '/tmp/agent';
/** Time for s6 to notice a change, in ms. */
const PATIENCE = 5000;
/** Time for a service to stop, in ms. */
const GRACE = 1000;

const fail = (message, exitCode = 1) => Object.assign(new Error(message), { exitCode });

function run(command, ...args) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return stdout.trim();
  throw fail(error?.message ?? (stderr.trim() || `${command} ended with ${status}`));
}

const quote = (word) => `'${word.replaceAll("'", "'\\''")}'`;

/** Checks that a name is not a path and is not ignored by s6-svscan. */
function readName(name = '') {
  if (/^[a-z0-9][a-z0-9._-]*$/.test(name)) return name;
  throw fail(`'${name}' is not a name: a-z, 0-9, dots, dashes and underscores`, 2);
}

/** Registers and starts a service. */
function add({ name, directory }, command) {
  if (command.length === 0) throw fail('agent worker add NAME COMMAND...', 2);
  if (existsSync(join(SCAN, name))) throw fail(`${name} is registered`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  // Links, since /tmp may be mounted noexec.
  for (const file of ['run', 'finish'])
    symlinkSync(`/etc/agent/worker/${file}`, join(directory, file));
  writeFileSync(join(directory, 'timeout-kill'), `${GRACE}\n`);
  writeFileSync(join(directory, 'command'), `exec ${command.map(quote).join(' ')}\n`);
  run('s6-svlink', '-t', PATIENCE, SCAN, directory, name);
  return `${name} runs`;
}

/** Removes a service from supervision, then deletes its directory. */
function remove({ name, directory }) {
  run('s6-svunlink', '-t', PATIENCE, SCAN, name);
  rmSync(directory, { recursive: true });
  return `${name} is gone`;
}

const control =
  (flags) =>
  ({ name }) =>
    run('s6-svc', ...flags, '-T', PATIENCE, join(SCAN, name));

const actions = {
  add,
  remove,
  start: control(['-wu', '-u']),
  stop: control(['-wD', '-d']),
  status: ({ name }) => run('s6-svstat', join(SCAN, name)),
};

/**
 * `agent worker ACTION NAME [COMMAND...]`.
 * @returns {number} the exit code
 */
export function runWorkerCommand(action, name, ...command) {
  if (!Object.hasOwn(actions, action ?? ''))
    throw fail('agent worker add|remove|start|stop|status NAME', 2);
  if (!existsSync(SCAN)) throw fail('nothing is supervised in this container');
  const place = { name: readName(name), directory: join(SCAN, '.registered', name) };
  const said = actions[action](place, command);
  if (said) console.log(said);
  return 0;
}
