// The program of probe.ts: requests specifiers from many files, in every way, and prints the results.
import { readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const FACTS = ['marker', 'version', 'flavor', 'condition', 'subpath', 'seen'];

function pick(source, keys) {
  const found = keys.filter((key) => source[key] !== undefined);
  return Object.fromEntries(found.map((key) => [key, source[key]]));
}

function describeError(error) {
  if (!(error instanceof Error)) return { thrown: String(error) };
  const { name, message, cause, stack = '' } = error;
  return {
    ...pick(error, ['code', 'requireStack', 'path', 'url']),
    name,
    message,
    keys: Object.keys(error),
    head: stack.split('\n    at ', 1)[0],
    ...(cause && {
      cause: { ...pick(cause, ['code', 'feature', 'specifier', 'hint', 'message']) },
    }),
  };
}

function describeValue(value) {
  if (typeof value === 'string') return { path: value };
  const facts = pick({ ...value.default, ...value }, FACTS);
  return Object.keys(facts).length > 0 ? facts : { value: JSON.stringify(value) };
}

async function answer(ask) {
  try {
    return describeValue(await ask());
  } catch (error) {
    return { error: describeError(error) };
  }
}

/** Answers every question in the file of its voice. */
async function answerAll(questions) {
  const answers = {};
  for (const { key, voice, form, specifier } of questions) {
    const ask = form === 'static import' ? () => import(voice) : await find(voice, form, specifier);
    answers[key] = await answer(ask);
  }
  return answers;
}

async function find(voice, form, specifier) {
  const { ask } = await import(voice);
  return () => ask[form](specifier);
}

const user = Number(process.env.PROBE_USER ?? 0);
if (isMainThread && user > 0) {
  // This user may not have access to the binaries of the matrix.
  process.setgroups([]);
  process.setgid(user);
  process.setuid(user);
}

// Node 20 has a second, unhandled rejection when imported CommonJS throws.
process.on('unhandledRejection', () => {});

if (isMainThread && process.argv.includes('worker')) {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  worker.on('message', (answers) => console.log(JSON.stringify(answers)));
} else {
  const file = process.argv.find((argument) => argument.endsWith('.json'));
  const answers = await answerAll(JSON.parse(readFileSync(file, 'utf8')));
  if (isMainThread) console.log(JSON.stringify(answers));
  else parentPort.postMessage(answers);
}
