/** Real packages from the real registry: the first import installs each, then it does some work that needs neither account nor network. */
import { execFileSync } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readMachineEnvironment } from '../support/machine.ts';
import { repositoryRoot } from '../support/package.ts';
import { dropSlowness } from '../support/process.ts';
import { createSandbox, type RunResult, type Sandbox } from '../support/sandbox.ts';

/** A backend as people use it. */
interface Backend {
  range: string;
  /** A program that imports it and prints what it made of it. */
  program: string;
  prints: string;
}

const BACKENDS: Record<string, Backend> = {
  'exa-js': {
    range: '^1.9',
    program: `
      import Exa from 'exa-js';
      const exa = new Exa('no-key');
      console.log(typeof exa.search, typeof exa.findSimilar);`,
    prints: 'function function',
  },
  '@mendable/firecrawl-js': {
    range: '^4.3.0',
    program: `
      import Firecrawl from '@mendable/firecrawl-js';
      const firecrawl = new Firecrawl({ apiKey: 'fc-none' });
      console.log(typeof firecrawl.scrape, typeof firecrawl.crawl);`,
    prints: 'function function',
  },
  '@larksuiteoapi/node-sdk': {
    range: '^1.40.0',
    program: `
      import * as lark from '@larksuiteoapi/node-sdk';
      const logger = { error() {}, warn() {}, info() {}, debug() {}, trace() {} };
      const client = new lark.Client({ appId: 'a', appSecret: 'b', logger });
      const challenge = lark.generateChallenge({ type: 'url_verification', challenge: 'c' }, { encryptKey: '' });
      console.log(typeof client.im.message.create, challenge.challenge.challenge);`,
    prints: 'function c',
  },
  '@slack/web-api': {
    range: '^7.0.0',
    program: `
      import slack from '@slack/web-api';
      const retryConfig = slack.retryPolicies.rapidRetryPolicy;
      const client = new slack.WebClient('xoxb-none', { retryConfig });
      console.log(client.slackApiUrl, typeof client.chat.postMessage);`,
    prints: 'https://slack.com/api/ function',
  },
  'discord.js': {
    range: '^14.0.0',
    program: `
      import { Client, EmbedBuilder, GatewayIntentBits } from 'discord.js';
      const client = new Client({ intents: [GatewayIntentBits.Guilds] });
      const embed = new EmbedBuilder().setTitle('title').setColor(0x0099ff);
      console.log(client.isReady(), JSON.stringify(embed.toJSON()));
      await client.destroy();`,
    prints: 'false {"title":"title","color":39423}',
  },
  openai: {
    range: '^6.0.0',
    program: `
      import OpenAI, { toFile } from 'openai';
      const openai = new OpenAI({ apiKey: 'none' });
      const file = await toFile(Buffer.from('text'), 'a.txt');
      console.log(typeof openai.chat.completions.create, file.name, file.size);`,
    prints: 'function a.txt 4',
  },
  ioredis: {
    range: '^5.0.0',
    program: `
      import { Redis } from 'ioredis';
      const redis = new Redis({ lazyConnect: true });
      console.log(redis.status, redis.pipeline().get('key').length);
      redis.disconnect();`,
    prints: 'wait 1',
  },
  pg: {
    range: '^8.0.0',
    program: `
      import pg from 'pg';
      const client = new pg.Client({ host: '127.0.0.1' });
      console.log(client.escapeIdentifier('a"b'), client.escapeLiteral("it's"));`,
    prints: `"a""b" 'it''s'`,
  },
  sharp: {
    range: '^0.34.0',
    program: `
      import sharp from 'sharp';
      const raw = { width: 2, height: 3, channels: 3 };
      const png = await sharp(Buffer.alloc(18, 128), { raw }).png().toBuffer();
      const { format, width, height, channels } = await sharp(png).metadata();
      console.log(format, width, height, channels);`,
    prints: 'png 2 3 3',
  },
};

/** A port on which nobody listens. */
const NOWHERE = { npm_config_registry: 'http://127.0.0.1:9' };

let sandbox: Sandbox;
const times: Record<string, string>[] = [];

beforeAll(async () => {
  sandbox = await createSandbox();
  const ranges = Object.entries(BACKENDS).map(([name, { range }]) => [name, range]);
  sandbox.setCore({ features: Object.fromEntries(ranges) });
  for (const [name, { program }] of Object.entries(BACKENDS)) {
    sandbox.write(`app/${fileOf(name)}`, program);
  }
});
afterAll(async () => {
  await sandbox.cleanup();
  console.table(times);
});

const fileOf = (name: string): string => `use-${name.replaceAll(/\W/g, '-')}.mjs`;

/** Runs the program of a package; the last word on the environment is the caller's. */
function use(name: string, node: string, env: Record<string, string> = {}): Promise<RunResult> {
  return sandbox.run(['--import', 'annex/loader.mjs', fileOf(name)], {
    node,
    env: { ...readMachineEnvironment(), ANNEX_STORE: sandbox.store, ...env },
    timeout: 200_000,
  });
}

/** Uses a package for the first time on a Node: it is installed, and nothing else is said. */
async function useFirst(name: string, node: string): Promise<void> {
  const run = await use(name, node);
  expect(run).toMatchObject({ code: 0, stdout: `${BACKENDS[name]?.prints}\n` });
  expect(dropSlowness(run.stderr).split('\n')).toEqual([
    expect.stringContaining(`annex: installing ${name} (${name}@${BACKENDS[name]?.range}) into `),
    expect.stringMatching(`^annex: installed ${name} \\d+\\.\\d+\\.\\d+ in `),
    '',
  ]);
  const [, version = '', seconds = '', size = ''] =
    / (\S+) in (\S+) s \((.+)\)$/m.exec(run.stderr) ?? [];
  times.push({ package: name, version, node: nameOf(node), seconds, size });
}

/** The version of one of the binaries: they stand in directories that are named after it. */
const nameOf = (node: string): string =>
  node === process.execPath ? process.version : basename(dirname(dirname(node)));

/** Uses a package that is there: nothing is said, and nobody listens where the registry would be. */
async function useAgain(name: string, node: string): Promise<void> {
  const stdout = `${BACKENDS[name]?.prints}\n`;
  expect(await use(name, node, NOWHERE)).toMatchObject({ code: 0, stdout, stderr: '' });
}

test.each(Object.keys(BACKENDS))(
  '%s: the first import installs it, the second run is silent and needs no registry',
  async (name) => {
    const before = sandbox.digest('app');
    await useFirst(name, process.execPath);
    await useAgain(name, process.execPath);
    expect(sandbox.digest('app')).toEqual(before);
  },
);

describe('one store for every Node', () => {
  /** Where the entries of a feature stand: `any`, or the ABI. */
  const findPlaces = (slug: string): string[] => {
    const paths = Object.keys(sandbox.digest('volume/annex/v1')).map((path) => path.split('/'));
    return paths.flatMap(([abi, entry, ...rest]) =>
      abi !== undefined && entry?.startsWith(`${slug}.`) && rest.length === 0 ? [abi] : [],
    );
  };
  const nodes = execFileSync(process.execPath, [join(repositoryRoot, 'scripts', 'nodes.mjs')], {
    encoding: 'utf8',
  })
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');

  test('plain JavaScript is installed once and serves them all', async () => {
    for (const node of nodes) await useAgain('exa-js', node);
    expect(findPlaces('exa-js')).toEqual(['any']);
  });

  test('what is bound to an ABI is installed once for each', async () => {
    const known = new Set([process.versions.modules]);
    for (const node of nodes) {
      const abi = execFileSync(node, ['-p', 'process.versions.modules'], {
        encoding: 'utf8',
      }).trim();
      await (known.has(abi) ? useAgain('sharp', node) : useFirst('sharp', node));
      known.add(abi);
    }
    const abis = findPlaces('sharp').map((place) => /^node(\d+)-/.exec(place)?.[1]);
    expect(new Set(abis)).toEqual(known);
    expect(abis).toHaveLength(known.size);
    expect(known.size).toBeGreaterThan(1);
    await useAgain('sharp', process.execPath);
  });
});
