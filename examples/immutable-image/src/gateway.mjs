/** The gateway: answers whatever its backends do; a backend that cannot be had is an answer with a reason. */
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { callBackend } from './backend-client.mjs';
import { chooseSearcher, listBackends } from './backends.mjs';
import { readPort, serve, tell } from './server.mjs';

/** Of a message, in bytes. */
const MAX_BODY = 100_000;

const Message = z.object({ chat: z.string().min(1), text: z.string().min(1).max(10_000) });

/** The answer of a backend under that name, or why there is none. */
async function call(feature, argument, name) {
  const { value, refusal, error } = await callBackend(feature, argument);
  if (refusal) return tell(503, refusal);
  return error === undefined ? { feature, [name]: value } : tell(502, { feature, error });
}

async function search({ searchParams }) {
  const feature = chooseSearcher(searchParams.get('with'));
  return await call(feature, searchParams.get('q') ?? '', 'results');
}

async function send(_url, request) {
  // Whoever does not say how much comes is not listened to either.
  if (!(Number(request.headers['content-length']) <= MAX_BODY)) {
    return tell(413, { error: `a message has at most ${MAX_BODY} bytes, and says how many` });
  }
  const parsed = Message.safeParse(parse(await text(request)));
  if (!parsed.success) return tell(400, { error: parsed.error.issues[0].message });
  return await call('chat.feishu', parsed.data, 'message');
}

function parse(json) {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** @returns {Promise<number>} the exit code */
export const serveGateway = () =>
  serve(readPort(process.env.PORT, 8080), {
    'GET /health': () => ({ ok: true }),
    'GET /backends': listBackends,
    'GET /search': search,
    'POST /messages': send,
  });
