/** A registry of packages whose install scripts write in many places, and a core for each feature. */
import { beforeAll } from 'vitest';
import { cjsPackage, dependentPackage, esmPackage } from './fixtures.ts';
import { importIn } from './importer.ts';
import { node } from './lock-files.ts';
import { type Registry, startRegistry } from './registry.ts';
import { createSandbox } from './sandbox.ts';

/** Its build writes an addon, its environment, and files that do not belong in an entry. */
export const build = `
import { mkdirSync, symlinkSync, writeFileSync, appendFileSync } from 'node:fs';
mkdirSync('build/Release', { recursive: true });
writeFileSync('build/Release/native.node', 'an addon');
writeFileSync('environment.json', JSON.stringify(process.env));
appendFileSync('index.js', 'export const built = true;');
symlinkSync('Release', 'build/latest');
symlinkSync(process.execPath, 'build/node');
symlinkSync('/etc', 'build/etc');
symlinkSync('../../../../../..', 'build/up');
symlinkSync('nowhere', 'build/nowhere');
writeFileSync('../../beside.txt', 'out of node_modules');
mkdirSync('../../other'); writeFileSync('../../other/file', 'x');
writeFileSync('../../package.json', '{"name":"native","exports":"./x.js"}');
`;
export const script = (source: string) => ({
  files: { 'build.mjs': source },
  manifest: { install: 'node build.mjs' },
});
export const native = esmPackage('native', '1.0.0', 'native', { scripts: script(build).manifest });
export const failing = esmPackage('failing', '1.0.0', 'failing', {
  scripts: { postinstall: 'node build.mjs' },
});
export const patcher = dependentPackage(
  'patcher',
  '1.0.0',
  'patcher',
  { quiet: '^1.0.0' },
  { scripts: { postinstall: 'node build.mjs' } },
);
export const nester = esmPackage('nester', '1.0.0', 'nester', {
  scripts: { postinstall: 'node build.mjs' },
});
/** Its script uses programs of a dependency. */
const maker = dependentPackage(
  'maker',
  '1.0.0',
  'maker',
  { '@acme/tool': '^1.0.0' },
  {
    scripts: {
      install: "write-made 'with it' && plain && ! compiled && npm --version && ls > listed.txt",
    },
  },
);
const tool = cjsPackage('@acme/tool', '1.0.0', 'tool', {
  bin: {
    'write-made': 'bin/write.js',
    plain: './bin/plain',
    npm: 'bin/npm.js',
    ls: 'bin/npm.js',
    out: '../../../../../../../bin/true',
    compiled: 'bin/compiled',
    nothing: 'no\0file',
  },
});
export const packages = [
  maker,
  { ...native, files: { ...native.files, ...script(build).files } },
  {
    ...failing,
    files: { ...failing.files, 'build.mjs': `console.error('no compiler'); process.exit(3)` },
  },
  {
    ...patcher,
    files: {
      ...patcher.files,
      'build.mjs': `import { appendFileSync } from 'node:fs'; appendFileSync('../quiet/index.js', '//');`,
    },
  },
  {
    ...nester,
    files: {
      ...nester.files,
      'build.mjs': `import { copyFileSync, mkdirSync } from 'node:fs';
mkdirSync('node_modules/quiet', { recursive: true });
copyFileSync('index.js', 'node_modules/quiet/index.js');`,
    },
  },
  {
    ...tool,
    files: {
      ...tool.files,
      'bin/write.js':
        "#!/usr/bin/env node\nrequire('fs').writeFileSync('made.txt', process.argv[2]);\n",
      'bin/npm.js': "#!/usr/bin/env node\nrequire('fs').writeFileSync('shadowed.txt', '');\n",
      'bin/compiled': 'ELF\0',
      'bin/plain': 'echo plain > plain.txt\n',
    },
  },
  esmPackage('quiet', '1.0.0', 'quiet', { scripts: { install: 'exit 1' } }),
  dependentPackage('user', '1.0.0', 'user', { native: '^1.0.0', quiet: '^1.0.0' }),
];
export const features = {
  user: { packages: { user: '^1.0.0' }, scripts: ['native'] },
  native: '^1.0.0',
  patcher: { packages: { patcher: '^1.0.0' }, scripts: ['patcher'] },
  nester: { packages: { nester: '^1.0.0' }, scripts: ['nester'] },
  maker: { packages: { maker: '^1.0.0' }, scripts: ['maker'] },
  failing: { packages: { failing: '^1.0.0' }, scripts: ['failing'] },
};

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry(packages);
});

export async function open(feature: keyof typeof features) {
  const sandbox = await createSandbox({ registry, node: node.path });
  sandbox.setCore({ features: { [feature]: features[feature] } });
  const host = new URL(registry.url).host;
  sandbox.write('app/.npmrc', `//${host}/:_authToken=\${TOKEN}\n`);
  const env = {
    ANNEX_STORE: sandbox.store,
    TOKEN: 'sEcReT1',
    SECRET: 'sEcReT2',
    [`npm_config_//${host}/:_password`]: 'sEcReT3',
  };
  return {
    sandbox,
    env,
    install: () => sandbox.annex(['install', feature, '--json'], { env }),
    load: () => importIn(sandbox, [feature], { env }),
  };
}
