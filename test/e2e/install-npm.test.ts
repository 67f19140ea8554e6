/** npm runs isolated from the application, the machine's settings and the directories around it. */
import { readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { importIn, splitLines } from '../support/importer.ts';
import { outerNodes } from '../support/nodes.ts';
import { spyOnNpm } from '../support/npm.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { openWorld } from '../support/world.ts';

const scripted = esmPackage('scripted', '1.0.0', 'scripted', {
  scripts: Object.fromEntries(
    ['preinstall', 'install', 'postinstall', 'prepare'].map((name) => [
      name,
      `node -e "require('fs').writeFileSync(process.env.HOME + '/${name}', '')"`,
    ]),
  ),
});
const packages = [
  esmPackage('alpha', '1.0.0', 'alpha'),
  esmPackage('host', '4.0.0', 'a host'),
  dependentPackage(
    'plugin',
    '1.0.0',
    'a plugin',
    { alpha: '^1.0.0' },
    {
      peerDependencies: { host: '^4.0.0' },
      optionalDependencies: { extra: '^1.0.0', elsewhere: '^1.0.0', 'not-published': '^1.0.0' },
      bin: { plugin: './index.js' },
    },
  ),
  esmPackage('extra', '1.0.0', 'optional'),
  esmPackage('elsewhere', '1.0.0', 'another platform', { os: ['aix'], cpu: ['s390x'] }),
  scripted,
];

const features = { alpha: '^1.0.0', plugin: '^1.0.0', scripted: '^1.0.0' };
const open = () => openWorld({ packages, annex: { features } });

/** Packages in the only entry of a sandbox's store, by path below node_modules. */
function listInstalled(sandbox: Sandbox): string[] {
  const root = join(sandbox.store, 'v1');
  const entries = readdirSync(root)
    .filter((abi) => abi === 'any' || abi.startsWith('node'))
    .flatMap((abi) => readdirSync(join(root, abi)).map((name) => join(root, abi, name)));
  expect(entries).toHaveLength(1);
  return readdirSync(join(entries[0] ?? '', 'node_modules')).sort();
}

describe.concurrent.each(outerNodes)('$label', (node) => {
  test('gets no variables of the application except those that npm needs', async () => {
    const { sandbox } = await open();
    const spy = spyOnNpm(sandbox);
    const application = {
      SECRET: 'x',
      DATABASE_URL: 'x',
      NODE_PATH: '/x',
      NPM_TOKEN: 'x',
      npm_config_node_options: '--import /nowhere.mjs',
      npm_config_script_shell: '/nowhere',
      npm_package_name: 'app',
    };
    const needed = {
      HTTPS_PROXY: 'http://127.0.0.1:9',
      NO_PROXY: '127.0.0.1',
      NODE_EXTRA_CA_CERTS: '/dev/null',
      npm_config_fund: 'true',
      NODE_OPTIONS: '--max-old-space-size=300',
    };
    const PATH = [spy.path, dirname(node.path), process.env.PATH].join(delimiter);
    const env = { ...application, ...needed, PATH, ANNEX_STORE: sandbox.store };
    const { imported } = await importIn(sandbox, ['alpha'], { node: node.path, env });
    expect(imported.alpha).toMatchObject({ marker: 'alpha' });
    const seen = spy.readEnv();
    expect(seen).toMatchObject(needed);
    expect(seen.PATH).toContain(`:${PATH}`);
    for (const name of Object.keys(application)) expect(seen).not.toHaveProperty(name);
    const allowed =
      /^(NODE_DISABLE_COMPILE_CACHE|ELECTRON_RUN_AS_NODE|PATH|HOME|PWD|SHLVL|_|OLDPWD|npm_config_.*|ANNEX_.*)$/;
    const others = Object.keys(seen).filter((name) => !allowed.test(name) && !(name in needed));
    expect(others).toEqual([]);
  });

  test("no preload, inspector or profiler of the application runs in npm's processes", async () => {
    const { sandbox } = await open();
    const trace = join(sandbox.root, 'trace');
    sandbox.write(
      'my preloads/trace.mjs',
      `import { appendFileSync } from 'node:fs';
         import { isMainThread } from 'node:worker_threads';
         if (isMainThread) appendFileSync(${JSON.stringify(trace)}, process.argv[1] + '\\n');`,
    );
    const preload = `${sandbox.root}/my preloads/trace.mjs`;
    const profile = node.major >= 22 ? `--cpu-prof --cpu-prof-dir=${sandbox.root}/prof` : '';
    const env = {
      ANNEX_STORE: sandbox.store,
      NODE_OPTIONS: `"--import=${preload}" --inspect_port=0 --inspect=0 ${profile}`,
    };
    const core = sandbox.digest(sandbox.core);
    const { imported, lines } = await importIn(sandbox, ['alpha'], { node: node.path, env });
    expect(imported.alpha).toMatchObject({ marker: 'alpha' });
    expect(splitLines(readFileSync(trace, 'utf8'))).toEqual([join(sandbox.core, 'main.mjs')]);
    expect(lines.filter((line) => line.startsWith('Debugger listening'))).toHaveLength(1);
    if (node.major >= 22) expect(readdirSync(join(sandbox.root, 'prof'))).toHaveLength(1);
    expect(sandbox.digest(sandbox.core)).toEqual(core);
  });

  test('an application under --permission in NODE_OPTIONS can still install', async () => {
    const { sandbox } = await open();
    const flag = node.major >= 22 ? '--permission' : '--experimental-permission';
    const rights = '--allow-fs-read=* --allow-fs-write=* --allow-child-process --allow-worker';
    const env = { ANNEX_STORE: sandbox.store, NODE_OPTIONS: `--no-warnings ${flag} ${rights}` };
    // Node 20 does not accept the flag in NODE_OPTIONS.
    const isInOptions = node.major >= 22;
    const { stdout, stderr } = await sandbox.run(
      [
        ...(isInOptions ? [] : ['--no-warnings', flag, ...rights.split(' ')]),
        '--import',
        sandbox.loader,
        'main.mjs',
        'alpha',
      ],
      { node: node.path, env: isInOptions ? env : { ANNEX_STORE: sandbox.store } },
    );
    expect(stderr).toMatch(/annex: installed alpha/);
    expect(JSON.parse(stdout).alpha).toMatchObject({ marker: 'alpha' });
  });

  test('installs optional and peer dependencies, skips other platforms, and links no programs', async () => {
    const { sandbox } = await open();
    const env = { ANNEX_STORE: sandbox.store };
    const { imported } = await importIn(sandbox, ['plugin'], { node: node.path, env });
    expect(imported.plugin).toMatchObject({ marker: 'a plugin' });
    expect(listInstalled(sandbox)).toEqual(['alpha', 'extra', 'host', 'plugin']);
  });

  test('runs no install scripts, whatever the settings say', async () => {
    const { sandbox } = await open();
    sandbox.write('app/.npmrc', 'ignore-scripts=false\nforeground-scripts=true\n');
    const env = { ANNEX_STORE: sandbox.store, npm_config_ignore_scripts: 'false' };
    const { imported } = await importIn(sandbox, ['scripted'], { node: node.path, env });
    expect(imported.scripted).toMatchObject({ marker: 'scripted' });
    const made = readdirSync(sandbox.home).filter((name) => /install|prepare/.test(name));
    expect(made).toEqual([]);
  });

  test('never walks up: a project above the store, in HOME or around the core has no effect', async () => {
    const { sandbox, registry } = await open();
    const project = {
      name: 'trap',
      workspaces: ['annex', 'annex/v1/staging/*', '**'],
      dependencies: { trapped: '1.0.0' },
      overrides: { alpha: 'npm:trapped@1.0.0' },
    };
    for (const place of ['volume', 'home', '.']) {
      sandbox.write(join(place, 'package.json'), project);
      sandbox.write(join(place, 'package-lock.json'), { lockfileVersion: 3, packages: {} });
      sandbox.addPackage(join(place, 'node_modules'), esmPackage('host', '4.0.0', 'a trap'));
    }
    const before = ['volume/node_modules', 'home', 'node_modules'].map((dir) =>
      sandbox.digest(dir),
    );
    const asked = registry.requests.length;
    const env = { ANNEX_STORE: sandbox.store };
    const { imported } = await importIn(sandbox, ['plugin'], { node: node.path, env });
    expect(imported.plugin).toMatchObject({ marker: 'a plugin' });
    expect(listInstalled(sandbox)).toEqual(['alpha', 'extra', 'host', 'plugin']);
    expect(registry.requests.slice(asked).join()).not.toContain('trapped');
    const after = ['volume/node_modules', 'home', 'node_modules'].map((dir) => sandbox.digest(dir));
    expect(after).toEqual(before);
  });

  const hostile: [string, string[]][] = [
    [
      'what to do',
      [
        'dry-run=true',
        'package-lock-only=true',
        'global=true',
        'location=global',
        'save=false',
      ].concat(['package-lock=false', 'lockfile-version=1', 'workspaces=true', 'json=false']),
    ],
    [
      'how to do it',
      ['omit[]=optional', 'omit[]=peer', 'legacy-peer-deps=true', 'install-strategy=linked'].concat(
        ['legacy-bundling=true', 'global-style=true', 'bin-links=true', 'strict-peer-deps=true'],
        ['include-workspace-root=true', 'loglevel=silly', 'progress=true', 'timing=true'],
      ),
    ],
  ];
  test.for(hostile)(
    "of a core's .npmrc with %s only the registry has an effect",
    async ([, lines]) => {
      const { sandbox } = await open();
      sandbox.write('app/.npmrc', `${lines.join('\n')}\n`);
      const env = { ANNEX_STORE: sandbox.store };
      const core = sandbox.digest(sandbox.core);
      const result = await importIn(sandbox, ['plugin'], { node: node.path, env });
      expect(result.imported.plugin).toMatchObject({ marker: 'a plugin' });
      expect(result.lines).toHaveLength(2);
      expect(listInstalled(sandbox)).toEqual(['alpha', 'extra', 'host', 'plugin']);
      expect(sandbox.digest(sandbox.core)).toEqual(core);
    },
  );

  test('an application that npm itself started, in a workspace, installs like any other', async () => {
    const { sandbox } = await open();
    const start = `${JSON.stringify(node.path)} --import ${sandbox.loader} main.mjs alpha`;
    const { annex } = JSON.parse(readFileSync(join(sandbox.core, 'package.json'), 'utf8'));
    sandbox.write('package.json', { name: 'all', private: true, workspaces: ['app'] });
    sandbox.setCore(annex, { scripts: { start } });
    const { stdout, stderr } = await sandbox.exec('npm', ['start', '--silent', '-w', 'app'], {
      node: node.path,
      cwd: '.',
      env: { ANNEX_STORE: sandbox.store },
    });
    expect(stderr).toMatch(/annex: installed alpha 1\.0\.0/);
    expect(JSON.parse(stdout).alpha).toMatchObject({ marker: 'alpha' });
  });
});
