/** Real tarballs, unpacked by annex and by npm: the same files. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { extractTarball } from '../../src/tarball/extract.ts';
import { readMachineEnvironment } from '../support/machine.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { digestTree } from '../support/tree.ts';

const PACKAGES = [
  'exa-js',
  '@mendable/firecrawl-js',
  '@larksuiteoapi/node-sdk',
  '@slack/web-api',
  'openai',
  'discord.js',
  'better-sqlite3',
  'sharp',
];

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await createSandbox({ linkAnnex: false });
});

/** The files of a package that npm installed, without nested packages. */
function listInstalled(directory: string, others: string[]): string {
  return Object.entries(digestTree(directory))
    .filter(([path]) => !others.some((other) => join(directory, path).startsWith(other + sep)))
    .flatMap(([path, found]) => {
      const [kind, , digest] = found.split(' ');
      const { size } = lstatSync(join(directory, path));
      return kind === 'file' ? [`${digest} ${size}\t${path}\n`] : [];
    })
    .sort()
    .join('');
}

/** npm gives every .gitignore another name, since a package could not be packed again otherwise. */
const sortListing = (listing: string): string =>
  (listing.match(/.+\n/g) ?? [])
    .map((line) => line.replace(/(?<=[\t/])\.gitignore\n$/, '.npmignore\n'))
    .sort()
    .join('');

test('annex unpacks exactly the files of eight real closures that npm unpacks', async () => {
  const env = readMachineEnvironment();
  const options = { env };
  sandbox.write('app/package.json', { name: 'app', version: '1.0.0', private: true });
  const flags = ['--ignore-scripts', '--no-bin-links', '--no-audit', '--no-fund'];
  const run = await sandbox.exec('npm', ['install', ...flags, ...PACKAGES], options);
  expect(run).toMatchObject({ code: 0 });
  const lock = JSON.parse(readFileSync(join(sandbox.core, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity: string }>;
  };
  const places = digestTree(sandbox.core);
  const installed = Object.entries(lock.packages).filter(([path]) => path !== '' && places[path]);
  expect(installed.length).toBeGreaterThan(100);

  const names = installed.map(([path, { version }]) =>
    [path.slice(path.lastIndexOf('node_modules/') + 13), version].join('@'),
  );
  sandbox.write('tarballs/package.json', {});
  const packed = await sandbox.exec('npm', ['pack', '--silent', ...new Set(names)], {
    ...options,
    cwd: 'tarballs',
  });
  expect(packed).toMatchObject({ code: 0 });
  const tarballs = new Map(
    readdirSync(join(sandbox.root, 'tarballs')).map((name) => {
      const tarball = readFileSync(join(sandbox.root, 'tarballs', name));
      return [`sha512-${createHash('sha512').update(tarball).digest('base64')}`, tarball];
    }),
  );

  const budget = { files: 200_000, bytes: 2 ** 31 };
  const directories = installed.map(([path]) => join(sandbox.core, path));
  for (const [index, [path, { integrity }]] of installed.entries()) {
    const directory = directories[index] ?? '';
    const others = directories.filter((other) => other.startsWith(directory + sep));
    const target = join(sandbox.root, 'unpacked', path);
    const tarball = tarballs.get(integrity);
    expect(tarball, path).toBeDefined();
    const { listing } = extractTarball(tarball ?? Buffer.alloc(0), target, budget);
    expect(sortListing(listing), path).toBe(listInstalled(directory, others));
  }
});
