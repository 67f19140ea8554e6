/** Database clients, and programs that use them under a monitoring agent. */

/** The clients, and their ranges. */
export const CLIENTS: Record<string, string> = {
  pg: '^8.0.0',
  redis: '^4.0.0',
  ioredis: '^5.0.0',
  mongodb: '^6.0.0',
  amqplib: '^0.10.0',
};

/** Uses the clients: two with a server, and two without, for which the patched methods are recorded as well. */
const USES = `
const [,, postgres, redis] = process.argv;
const uses = {
  pg: async ({ Client }) => {
    const client = new Client({ host: '127.0.0.1', port: Number(postgres), user: 'postgres' });
    await client.connect();
    await client.query('select 1');
    await client.end();
  },
  redis: async ({ createClient }) => {
    const client = createClient({ url: 'redis://127.0.0.1:' + redis });
    await client.connect();
    await client.set('a', '1');
    await client.quit();
  },
  ioredis: async ({ Redis }) => {
    const client = new Redis(Number(redis), '127.0.0.1');
    await client.set('a', '1');
    await client.quit();
  },
  mongodb: async ({ MongoClient }) => {
    const client = new MongoClient('mongodb://127.0.0.1:9', { serverSelectionTimeoutMS: 1 });
    await client.db('a').collection('b').findOne({}).catch(() => {});
    await client.close();
  },
  amqplib: async ({ connect }) => { await connect('amqp://127.0.0.1:9').catch(() => {}); },
};
/** Name and length of every function, which an agent replaces. */
const describe = (module) => Object.entries(module).flatMap(([name, value]) =>
  typeof value !== 'function' ? [] : [[name, value], ...Object.entries(
    Object.getOwnPropertyDescriptors(value.prototype ?? {})).map(([key, { value: method }]) => [name + '.' + key, method])]
    .map(([key, method]) => key + ' ' + (typeof method === 'function' ? method.name + ' ' + String(method).length : '')));
const use = async (load) => {
  const report = { methods: {} };
  const { record } = await import('./' + process.env.AGENT + '.record.mjs');
  report.spans = await record(async () => {
    for (const [name, run] of Object.entries(uses)) {
      const module = await load(name);
      report.methods[name] = describe(module);
      await run(module);
    }
  });
  console.log(JSON.stringify(report));
  process.exit();
};`;

/** Names of the programs. */
export type Main = 'main.mjs' | 'main.cjs';

/** The program as an ES module, and as CommonJS. */
export const PROGRAMS: Record<Main, string> = {
  'main.mjs': `${USES}\nawait use(async (name) => {
  const module = await import(name);
  return { ...module.default, ...module };
});`,
  'main.cjs': `${USES}\nuse(async (name) => require(name));`,
};
