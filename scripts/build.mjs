// Builds dist/: type declarations by tsc, and few large files by rolldown. A preload pays about one millisecond for
// every module it loads, in every process; source files stay small, what is shipped does not.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const source = (name) => join(root, 'src', `${name}.ts`);

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

rmSync(dist, { recursive: true, force: true });
const tsc = join(root, 'node_modules', '.bin', 'tsc');
const { status } = spawnSync(tsc, ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

// Each group has its own copy of what it shares with others: what the preload loads is two files, not ten.
const groups = [['register', 'hooks/off-thread'], ['index'], ['cli/main']];
for (const group of groups) {
  const bundle = await rolldown({
    input: Object.fromEntries(group.map((name) => [name, source(name)])),
    platform: 'node',
    external: [/^node:/, /^execa$/, /^ini$/, /^semver(?:\/|$)/],
    transform: { define: { ANNEX_VERSION: JSON.stringify(version) } },
  });
  // Chunks stand beside index.js: src/paths.ts counts on it.
  await bundle.write({ dir: dist, format: 'esm', entryFileNames: '[name].js' });
  await bundle.close();
}
