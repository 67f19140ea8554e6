/** npm run bench:loop: measures whether a server keeps answering while its process installs a feature. */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fetchNode, matrix } from '../scripts/nodes.mjs';
import { ROOT } from './setting.mjs';
import { median } from './statistics.mjs';

const USAGE = `usage: npm run bench:loop -- [--rounds N] [--node VERSION]
  --rounds  runs of each kind, 3 by default
  --node    a version of Node, or a prefix of one: ${matrix.join(', ')}; default 24`;

/** What the server does meanwhile; \`require\` blocks on every Node. */
const KINDS = ['idle', 'import', 'ensure', 'require'];
const RATE = 200;
const SECONDS = 15;
/** How long the registry takes to send a feature, in seconds. */
const TRANSFER = 10;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    node: { type: 'string', default: '24' },
    help: { type: 'boolean', short: 'h' },
  },
});
const version = matrix.findLast((name) => name.startsWith(values.node));
if (values.help || version === undefined) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
spawnSync(process.execPath, [join(ROOT, 'scripts/setup.mjs')], { stdio: 'inherit' });
const node = await fetchNode(version);
const base = mkdtempSync(join(tmpdir(), 'annex-loop-'));
const app = join(base, 'app');
const environment = (store) => ({
  PATH: process.env.PATH,
  HOME: base,
  ANNEX_STORE: join(base, store),
  ANNEX_LOG: 'error',
});
const registry = fork(new URL('loop-registry.mjs', import.meta.url), [base, String(TRANSFER)]);
try {
  const [{ url }] = await once(registry, 'message');
  layOut(url);
  const runs = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (let index = 0; index < KINDS.length; index++) {
      const kind = KINDS[(index + round) % KINDS.length];
      runs.push({ kind, ...(await run(kind, `store-${round}-${kind}`)) });
      console.error(JSON.stringify(runs.at(-1)));
    }
  }
  print(runs);
} finally {
  registry.disconnect();
  rmSync(base, { recursive: true, force: true });
}

/** Creates the application: a server with a locked feature. */
function layOut(url) {
  mkdirSync(join(app, 'node_modules'), { recursive: true });
  symlinkSync(ROOT, join(app, 'node_modules/annex'));
  const annex = { features: { 'sixty-megabytes': '1.0.0' } };
  const manifest = { name: 'app', version: '1.0.0', type: 'module', annex };
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(app, '.npmrc'), `registry=${url}/\n`);
  cpSync(join(ROOT, 'bench/loop-server.mjs'), join(app, 'server.mjs'));
  const args = [join(ROOT, 'dist/cli/main.js'), 'lock', '--min-age', '0'];
  const { status, stderr } = spawnSync(node, args, { cwd: app, env: environment('none') });
  if (status !== 0) throw new Error(`annex lock: ${stderr}`);
  registry.send('slow');
}

/** Runs the server and its client; the import starts with the second second of requests. */
async function run(kind, store) {
  const execArgv = ['--import', 'annex/loader.mjs'];
  const options = { cwd: app, env: environment(store), execPath: node, execArgv };
  const server = fork(join(app, 'server.mjs'), [kind], options);
  const [{ port }] = await once(server, 'message');
  const client = fork(
    new URL('loop-client.mjs', import.meta.url),
    [port, RATE, SECONDS].map(String),
  );
  const ends = Promise.all([once(server, 'exit'), once(client, 'exit')]);
  await once(client, 'message');
  server.send('start');
  const [requests] = await once(client, 'message');
  server.send('stop');
  const [loop] = await once(server, 'message');
  await ends;
  rmSync(join(base, store), { recursive: true, force: true });
  return { ...requests, ...loop };
}

function print(runs) {
  console.log(
    `\nNode ${version}, ${availableParallelism()} cores: ${RATE} requests a second for ${SECONDS} s, ` +
      `an install that takes at least ${TRANSFER} s.\nMedian of ${values.rounds} runs; times in ms.`,
  );
  const names = ['worst delay', 'p99 latency', 'worst latency', 'lost', 'install'];
  console.log(['', ...names].map((name) => name.padStart(14)).join(''));
  for (const kind of KINDS) {
    const own = runs.filter((one) => one.kind === kind);
    const cells = ['worstDelay', 'p99', 'worst', 'lost', 'took'].map((key) =>
      own.every((one) => one[key] !== undefined)
        ? median(own.map((one) => one[key])).toFixed(0)
        : '',
    );
    console.log([kind, ...cells].map((cell) => cell.padStart(14)).join(''));
  }
}
