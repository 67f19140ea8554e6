/** Services that the application registers while it runs: supervised by an s6-svscan of its own user. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What s6-svscan supervises in this container. */
const SCAN = '/tmp/agent';
/** How long s6 may take to see a change, and a service to stop, in ms. */
const PATIENCE = 5000;
const GRACE = 1000;

const fail = (message, exitCode = 1) => Object.assign(new Error(message), { exitCode });

function run(command, ...args) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return stdout.trim();
  throw fail(error?.message ?? (stderr.trim() || `${command} ended with ${status}`));
}

const quote = (word) => `'${word.replaceAll("'", "'\\''")}'`;

/** A name that is no path, and that s6-svscan does not leave out. */
function readName(name = '') {
  if (/^[a-z0-9][a-z0-9._-]*$/.test(name)) return name;
  throw fail(`'${name}' is not a name: a-z, 0-9, dots, dashes and underscores`, 2);
}

/** Registers it and starts it. */
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

/** Has s6 let go of it first, then deletes it. */
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
