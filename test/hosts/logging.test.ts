/** Loggers whose transports the application declares: pino runs them in a thread, directly or behind Fastify. */
import { testApplication } from '../support/host.ts';

const target = `{
  target: 'pino-pretty',
  options: {
    colorize: false,
    ignore: 'time,pid,hostname',
    sync: true,
    append: false,
    destination: process.env.LOG,
  },
}`;

/** Returns what the thread has written when it has ended; pino lets the process end before. */
const CLOSE = `async (transport) => {
  const alive = setInterval(() => {}, 1e6);
  transport.end();
  await once(transport, 'close');
  clearInterval(alive);
  return readFileSync(process.env.LOG, 'utf8').trim();
}`;

testApplication({
  ships: { fastify: '^5.0.0', pino: '^10.0.0', winston: '^3.17.0' },
  annex: { features: { 'pino-pretty': '^13.0.0', 'winston-daily-rotate-file': '^5.0.0' } },
  hosts: {
    pino: {
      feature: 'pino-pretty',
      program: `
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import pino from 'pino';
import { report } from './report.mjs';
const close = ${CLOSE};
await report(() => {
  const transport = pino.transport(${target});
  pino(transport).info('written');
  return close(transport);
});`,
      env: { LOG: 'VOLUME/pino.log' },
      loaded: 'INFO: written',
      absent: /unable to determine transport target for .*pino-pretty/,
      isReplaced: true,
    },
    'the logger of Fastify': {
      feature: 'pino-pretty',
      program: `
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import pino from 'pino';
import { report } from './report.mjs';
const close = ${CLOSE};
await report(() => {
  const { log } = Fastify({ logger: { transport: ${target} } });
  log.info('written');
  return close(log[pino.symbols.streamSym]);
});`,
      env: { LOG: 'VOLUME/fastify.log' },
      loaded: 'INFO: written',
      absent: /unable to determine transport target for .*pino-pretty/,
      isReplaced: true,
    },
    winston: {
      feature: 'winston-daily-rotate-file',
      program: `
import { once } from 'node:events';
import winston from 'winston';
import { report } from './report.mjs';
await report(async () => {
  const { default: File } = await import('winston-daily-rotate-file');
  const transport = new winston.transports.DailyRotateFile({ dirname: process.env.LOGS });
  const opened = once(transport, 'new');
  const logger = winston.createLogger({ transports: [transport] });
  const [file] = await opened;
  logger.end();
  return [File === winston.transports.DailyRotateFile, file.startsWith(process.env.LOGS)];
});`,
      env: { LOGS: 'VOLUME/winston' },
      loaded: [true, true],
      absent: /Cannot find package 'winston-daily-rotate-file'/,
    },
  },
});
