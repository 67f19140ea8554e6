/** Libraries for databases, with a driver that the application declares. Without a server, a driver is refused a connection. */
import { testApplication } from '../support/host.ts';

testApplication({
  ships: {
    'drizzle-orm': '^0.45.0',
    keyv: '^5.0.0',
    knex: '^3.1.0',
    'reflect-metadata': '^0.2.0',
    sequelize: '^6.37.0',
    typeorm: '^0.3.20',
    unstorage: '^1.16.0',
  },
  annex: {
    features: {
      '@keyv/redis': '^5.0.0',
      '@libsql/client': '^0.15.0',
      ioredis: '^5.4.0',
      mysql2: '^3.11.0',
      pg: '^8.16.0',
      'sql.js': '^1.13.0',
    },
    importers: ['drizzle-orm', 'knex', 'sequelize', 'typeorm', 'unstorage'],
  },
  hosts: {
    knex: {
      feature: 'pg',
      program: `
import knex from 'knex';
import { report } from './report.mjs';
await report(async () => {
  const db = knex({ client: 'pg', connection: { host: '127.0.0.1', port: 9 } });
  const { code } = await db.raw('select 1').catch((error) => error);
  return [typeof db.client.driver.Pool, code];
});`,
      loaded: ['function', 'ECONNREFUSED'],
      absent: /Knex: run\\n\$ npm install pg --save\\nCannot find module 'pg'/,
      isReplaced: true,
    },
    typeorm: {
      feature: 'sql.js',
      program: `
import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { report } from './report.mjs';
await report(async () => {
  const source = await new DataSource({ type: 'sqljs' }).initialize();
  return source.query('select 1 + 1 as two');
});`,
      loaded: [{ two: 2 }],
      absent: /sql\.js.* package has not been found/,
      isReplaced: true,
    },
    sequelize: {
      feature: 'mysql2',
      program: `
import { Sequelize } from 'sequelize';
import { report } from './report.mjs';
await report(async () => {
  const db = new Sequelize('db', 'user', 'word', { dialect: 'mysql', host: '127.0.0.1', port: 9 });
  return (await db.authenticate().catch((error) => error)).name;
});`,
      loaded: 'SequelizeConnectionRefusedError',
      absent: /Please install mysql2 package manually/,
      isReplaced: true,
    },
    keyv: {
      feature: '@keyv/redis',
      program: `
import { Keyv } from 'keyv';
import { report } from './report.mjs';
await report(async () => {
  const { default: KeyvRedis } = await import('@keyv/redis');
  const socket = { host: '127.0.0.1', port: 9, reconnectStrategy: false };
  const store = new KeyvRedis({ socket }, { throwOnConnectError: true });
  const keyv = new Keyv({ store, throwOnErrors: true });
  keyv.on('error', () => {});
  const { message } = await keyv.get('key').catch((error) => error);
  return [store.constructor.name, message.split(' is ')[0]];
});`,
      loaded: ['KeyvRedis', 'Redis client'],
      absent: /Cannot find package '@keyv\/redis'/,
    },
    unstorage: {
      feature: 'ioredis',
      program: `
import { createStorage } from 'unstorage';
import { report } from './report.mjs';
await report(async () => {
  const { default: redis } = await import('unstorage/drivers/redis');
  const driver = redis({ host: '127.0.0.1', port: 9, maxRetriesPerRequest: 0, retryStrategy: null });
  const client = driver.getInstance().on('error', () => {});
  const { message } = await createStorage({ driver }).getItem('key').catch((error) => error);
  return [typeof client.pipeline, message];
});`,
      loaded: ['function', 'Connection is closed.'],
      absent: /Cannot find package 'ioredis' imported from .*unstorage/,
    },
    drizzle: {
      feature: '@libsql/client',
      program: `
import { sql } from 'drizzle-orm';
import { report } from './report.mjs';
await report(async () => {
  const { drizzle } = await import('drizzle-orm/libsql');
  const { rows } = await drizzle({ connection: { url: ':memory:' } }).run(sql\`select 1 + 1 as two\`);
  return rows[0].two;
});`,
      loaded: 2,
      absent: /Cannot find package '@libsql\/client' imported from .*drizzle-orm/,
    },
  },
});
