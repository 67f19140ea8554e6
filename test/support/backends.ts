/** Nine packages as applications use them. */

/** A backend in typical use. */
export interface Backend {
  range: string;
  /** A program that imports it and prints its result. */
  program: string;
  prints: string;
}

/** By package; every program works without an account and without a network. */
export const BACKENDS: Record<string, Backend> = {
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

/** The file for the program of a package. */
export const fileOf = (name: string): string => `use-${name.replaceAll(/\W/g, '-')}.mjs`;
