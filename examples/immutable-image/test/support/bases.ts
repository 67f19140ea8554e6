/** Replacements for the official `node:*-slim` images, built from Debian packages and Node binaries from the npm registry. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repositoryRoot } from '../../../../test/support/package.ts';
import { removeTree } from '../../../../test/support/tree.ts';
import { certificates, containerCache, podman, run, tryRun } from './podman.ts';

/** Release lines of Node: the newest version and its npm. */
export const lines = {
  '20': { node: '20.20.2', npm: '10' },
  '22': { node: '22.23.3', npm: '10' },
  '24': { node: '24.21.0', npm: '11' },
  '26': { node: '26.10.0', npm: '11' },
};

/** A release line of Node. */
export type Line = keyof typeof lines;

/** https://github.com/nodejs/docker-node/blob/main/docker-entrypoint.sh */
const ENTRYPOINT = `#!/bin/sh
set -e
if [ "\${1#-}" != "\${1}" ] || [ -z "$(command -v "\${1}")" ] || { [ -f "\${1}" ] && ! [ -x "\${1}" ]; }; then
  set -- node "$@"
fi
exec "$@"
`;

/** Debian packages of the official images; the second for Node 26. */
const INCLUDED = ['ca-certificates', 'libatomic1'];

/** The host's package sources if they are for the same Debian, otherwise mmdebstrap's default. */
function findSources(): string[] {
  if (!/^VERSION_CODENAME=bookworm$/m.test(readFileSync('/etc/os-release', 'utf8'))) return [];
  const parts = '/etc/apt/sources.list.d';
  const all = readdirSync(parts).map((name) => join(parts, name));
  return ['/etc/apt/sources.list', ...all].filter(
    (path) =>
      /\.(?:list|sources)$/.test(path) &&
      existsSync(path) &&
      /\bbookworm(?:-updates|-security)?\b/.test(readFileSync(path, 'utf8')),
  );
}

/** A system for `bootstrap`. */
interface System {
  /** A release: `bookworm`. */
  suite: string;
  /** Names of packages. */
  included: readonly string[];
  /** More options of mmdebstrap. */
  options?: readonly string[];
  /** Files with sources of packages; mmdebstrap's default without any. */
  sources?: readonly string[];
}

/**
 * Creates a Debian in the cache, once.
 * @param extension `.tar` for a tarball, empty for a directory
 * @returns its path, which contains a digest of what is asked for
 */
export async function bootstrap(
  name: string,
  extension: string,
  { suite, included, options = [], sources = [] }: System,
): Promise<string> {
  const dump = await run('apt-config', ['dump']);
  const acquire = dump.split('\n').filter((line) => /^Acquire::.+ "/.test(line));
  const content = JSON.stringify([
    suite,
    included,
    options,
    acquire,
    sources.map((path) => readFileSync(path, 'utf8')),
  ]);
  const key = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const path = join(containerCache, `${name}-${key}${extension}`);
  if (existsSync(path)) return path;
  const staging = mkdtempSync(join(containerCache, 'staging-'));
  try {
    writeFileSync(join(staging, 'apt.conf'), `${acquire.join('\n')}\n`);
    const target = join(staging, `root${extension}`);
    const excluded = ['doc', 'man', 'locale', 'info'].map(
      (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
    );
    const args = ['--quiet', `--include=${included.join(',')}`, ...excluded, ...options];
    args.push(`--aptopt=${join(staging, 'apt.conf')}`, suite, target, ...sources);
    await run('mmdebstrap', args, { timeout: 900_000 });
    renameSync(target, path);
  } finally {
    removeTree(staging);
  }
  return path;
}

/** A tarball of Debian with certificates. */
const makeDebian = (): Promise<string> =>
  bootstrap('debian', '.tar', {
    suite: 'bookworm',
    included: INCLUDED,
    options: ['--variant=minbase'],
    sources: findSources(),
  });

/** Whether an image with this tag exists; tags depend on content and settings. */
const isThere = async (tag: string): Promise<boolean> =>
  (await tryRun('podman', ['image', 'exists', tag])).code === 0;

/** Reads the registry settings of the host's npm. */
async function readNpmSettings(): Promise<string> {
  const read = (name: string): Promise<string> => run('npm', ['config', 'get', name], { cwd: '/' });
  const [registry, cafile] = await Promise.all([read('registry'), read('cafile')]);
  const isSet = cafile !== 'null' && cafile !== '';
  return `registry=${registry}\n${isSet ? `cafile=${certificates}\n` : ''}`;
}

async function layNode(root: string, line: Line, npmrc: string): Promise<void> {
  const at = (path: string): string => {
    const whole = join(root, 'usr/local', path);
    mkdirSync(dirname(whole), { recursive: true });
    return whole;
  };
  const fetcher = join(repositoryRoot, 'scripts', 'nodes.mjs');
  const fetched = await run(process.execPath, [fetcher, lines[line].node], { timeout: 900_000 });
  copyFileSync(fetched.slice(fetched.indexOf('/')), at('bin/node'));
  symlinkSync('node', at('bin/nodejs'));
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, at(`bin/${name}`));
  writeFileSync(at('bin/docker-entrypoint.sh'), ENTRYPOINT);
  for (const name of ['node', 'docker-entrypoint.sh']) chmodSync(at(`bin/${name}`), 0o755);
  writeFileSync(at('etc/npmrc'), npmrc);
  const cwd = dirname(root);
  const spec = `npm@${lines[line].npm}`;
  const packed = await run('npm', ['pack', spec, '--ignore-scripts', '--silent'], { cwd });
  const unpacked = at('lib/node_modules/npm');
  mkdirSync(unpacked);
  const tarball = join(cwd, packed.split('\n').at(-1) ?? '');
  await run('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1', '--no-same-owner']);
}

/**
 * Provides `docker.io/library/node:<line>-slim` for FROM and `--pull-never`.
 * @returns its name
 */
export async function prepareBase(line: Line): Promise<string> {
  const [tarball, npmrc] = await Promise.all([makeDebian(), readNpmSettings()]);
  const debian = `localhost/annex-debian:${tarball.slice(-16, -4)}`;
  const content = JSON.stringify([debian, npmrc, lines[line], readFileSync(import.meta.filename)]);
  const key = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const base = `localhost/annex-node:${line}-${key}`;
  const name = `docker.io/library/node:${line}-slim`;
  if (!(await isThere(base))) {
    if (!(await isThere(debian))) await podman('import', '--quiet', tarball, debian);
    const context = mkdtempSync(join(tmpdir(), 'annex-base-'));
    try {
      await layNode(join(context, 'root'), line, npmrc);
      const dockerfile = [
        `FROM ${debian}`,
        'RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node',
        'COPY root/ /',
        `ENV NODE_VERSION=${lines[line].node} PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
        'ENTRYPOINT ["docker-entrypoint.sh"]',
        'CMD ["node"]',
      ];
      writeFileSync(join(context, 'Dockerfile'), dockerfile.join('\n'));
      const args = ['bud', '--isolation', 'chroot', '--pull-never', '--format', 'docker'];
      await run('buildah', [...args, '-t', base, context]);
    } finally {
      removeTree(context);
    }
  }
  await podman('tag', base, name);
  return name;
}
