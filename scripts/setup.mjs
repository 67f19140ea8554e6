// Makes a fresh clone ready for tests and the demo: installs dependencies and builds dist/, each only when out of date.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = join(root, 'dist', '.stamp');

/** Modification time in milliseconds; 0 for a missing file. */
function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Newest modification time below a directory, including directories, so that a deletion counts as a change. */
function newestBelow(directory) {
  const names = readdirSync(directory, { recursive: true });
  return Math.max(changedAt(directory), ...names.map((name) => changedAt(join(directory, name))));
}

/** Runs a command in the repository; a failure ends this process with the command's own exit code. */
function runOrExit(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) console.error(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

const installedAt = changedAt(join(root, 'node_modules', '.package-lock.json'));
if (installedAt === 0 || installedAt < changedAt(join(root, 'package-lock.json'))) {
  // No dependency needs its install scripts.
  runOrExit('npm', ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund']);
}

const configs = readdirSync(root).filter((name) => /^tsconfig.*\.json$/.test(name));
const sourcesChangedAt = Math.max(
  newestBelow(join(root, 'src')),
  changedAt(join(root, 'scripts', 'build.mjs')),
  changedAt(join(root, 'package.json')),
  ...configs.map((name) => changedAt(join(root, name))),
);
// A separate stamp, because dist/ itself does not show which sources it was built from.
if (changedAt(stamp) < sourcesChangedAt) {
  const startedAt = new Date();
  console.error('building dist/');
  runOrExit(process.execPath, [join(root, 'scripts', 'build.mjs')]);
  writeFileSync(stamp, `${startedAt.toISOString()}\n`);
}
