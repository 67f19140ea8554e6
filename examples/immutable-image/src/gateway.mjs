/** The gateway. It responds whatever its backends do; an unavailable backend gives a response with the reason. */
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { callBackend } from './backend-client.mjs';
import { chooseSearcher, listBackends } from './backends.mjs';
import { readPort, serve, tell } from './server.mjs';

/** Maximum size of a message, in bytes. */
const MAX_BODY = 100_000;

const Message = z.object({ chat: z.string().min(1), text: z.string().min(1).max(10_000) });

/** Response with the result of a backend under `name`, or the reason why there is none. */
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
  // Also rejects a request without a content length.
  if (!(Number(request.headers['content-length']) <= MAX_BODY)) {
    return tell(413, { error: `a message needs a content length of at most ${MAX_BODY} bytes` });
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
