// Checks and packs a release: `node scripts/release.mjs v1.2.3` leaves annex-1.2.3.tgz. It publishes nothing.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [tag] = process.argv.slice(2);
const { version, ...manifest } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const changes = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');

function fail(reason) {
  console.error(`release: ${reason}`);
  process.exit(1);
}

/** Runs a command in the repository; a failure ends the release. */
function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) fail(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
}

if (tag !== `v${version}`) fail(`the tag is ${tag}, but package.json has version ${version}`);
// npm compares `repository` with the source that the provenance attestation names.
for (const key of ['repository', 'homepage', 'bugs']) {
  if (manifest[key] === undefined) fail(`package.json has no ${key}: add it`);
}
if (!changes.includes(`\n## ${version}, 20`)) {
  fail(`CHANGELOG.md has no heading "## ${version}, YYYY-MM-DD"`);
}
run('git', 'diff', '--exit-code');
run('npm', 'run', 'lint');
run('npm', 'run', 'typecheck');
run('npm', 'pack');
run('npm', 'run', 'check:package');
