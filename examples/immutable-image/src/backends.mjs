/** The optional backends. None is in the image: each is installed on the volume at first use. */
import { ensure, status } from 'annex';

/** Functions that connect to a feature. An SDK gets its address from the environment, so that it can use a proxy. */
const connectors = {
  'search.exa': async ({ EXA_API_KEY = 'none', EXA_BASE_URL }) => {
    const { default: Exa } = await import('exa-js');
    const exa = new Exa(EXA_API_KEY, EXA_BASE_URL);
    return async (query) => (await exa.search(query)).results.map(({ title }) => title);
  },
  'search.firecrawl': async ({ FIRECRAWL_API_KEY = 'none', FIRECRAWL_BASE_URL }) => {
    const { default: Firecrawl } = await import('@mendable/firecrawl-js');
    const firecrawl = new Firecrawl({ apiKey: FIRECRAWL_API_KEY, apiUrl: FIRECRAWL_BASE_URL });
    return async (query) => (await firecrawl.search(query)).web.map(({ title }) => title);
  },
  'chat.feishu': async ({
    FEISHU_APP_ID = 'none',
    FEISHU_APP_SECRET = 'none',
    FEISHU_BASE_URL,
  }) => {
    const lark = await import('@larksuiteoapi/node-sdk');
    const domain = FEISHU_BASE_URL ?? lark.Domain.Feishu;
    const client = new lark.Client({
      appId: FEISHU_APP_ID,
      appSecret: FEISHU_APP_SECRET,
      domain,
      // At any other level the SDK prints failed requests including the secret.
      loggerLevel: lark.LoggerLevel.fatal,
    });
    return async ({ chat, text }) => {
      const content = JSON.stringify({ text });
      const data = { receive_id: chat, msg_type: 'text', content };
      const sent = await client.im.message.create({ params: { receive_id_type: 'chat_id' }, data });
      return sent.data?.message_id;
    };
  },
};

/** The features that can search. */
const searchers = ['search.exa', 'search.firecrawl'];

/**
 * @param {string | null | undefined} asked a feature; default SEARCH_BACKEND, or the first one
 * @returns {string} the feature to search with
 * @throws for any other feature, with status 400 for a request and exitCode 78 for the configuration
 */
export function chooseSearcher(asked) {
  const feature = asked || process.env.SEARCH_BACKEND || searchers[0];
  if (searchers.includes(feature)) return feature;
  const message = `'${feature}' is no search backend; there are ${searchers.join(', ')}`;
  throw Object.assign(new Error(message), { status: 400, exitCode: 78 });
}

/**
 * Connects to a backend and installs it first if it is missing. Does not block: other requests get
 * responses meanwhile.
 * @param {string} feature one of the connectors
 * @returns {Promise<Function | { feature: string, code: string, hint: string }>} the backend, or the reason why it is unavailable
 */
export async function connect(feature) {
  // Installs in a separate process. The import below reports a failure.
  await ensure(feature).catch(() => {});
  try {
    return await connectors[feature](process.env);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const { code, hint, message } = error.cause ?? error;
    return { feature, code, hint, message };
  }
}

/** Lists the state of each backend with its reason. Installs nothing. */
export const listBackends = () =>
  status().features.map(({ feature, where, refusal }) => ({
    feature,
    where,
    ...(refusal && { code: refusal.code, hint: refusal.hint }),
  }));

/**
 * `agent search QUERY`.
 * @returns {Promise<number>} the exit code
 */
export async function printSearch(query) {
  if (!query) throw Object.assign(new Error('agent search needs a query'), { exitCode: 2 });
  const search = await connect(chooseSearcher());
  if (typeof search !== 'function') throw new Error(search.message);
  for (const title of await search(query)) console.log(title);
  return 0;
}
