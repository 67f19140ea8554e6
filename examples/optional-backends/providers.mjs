// Three search providers that the service does not ship; each is imported at first use.
import { ensure } from 'annex';

const { EXA_API_KEY = 'none', FIRECRAWL_API_KEY = 'none', OPENAI_API_KEY = 'none' } = process.env;

/** Providers in the order in which they are tried. `connect` returns a function from a query to titles. */
export const providers = [
  {
    feature: 'search.exa',
    connect: async () => {
      const { default: Exa } = await import('exa-js');
      const exa = new Exa(EXA_API_KEY);
      return async (query) => (await exa.search(query)).results.map(({ title }) => title);
    },
  },
  {
    feature: 'search.firecrawl',
    connect: async () => {
      const { default: Firecrawl } = await import('@mendable/firecrawl-js');
      const firecrawl = new Firecrawl({ apiKey: FIRECRAWL_API_KEY });
      return async (query) => (await firecrawl.search(query)).web.map(({ title }) => title);
    },
  },
  {
    feature: 'search.openai',
    connect: async () => {
      const { default: OpenAI } = await import('openai');
      const openai = new OpenAI({ apiKey: OPENAI_API_KEY });
      return async (input) => [
        (await openai.responses.create({ model: 'gpt-5', input })).output_text,
      ];
    },
  },
];

/**
 * Connects to a provider. An unavailable package is a result, not a failure: the `cause` of Node's error has
 * the reason and a hint.
 */
export async function connect(provider) {
  // Installs without blocking, so that /health responds meanwhile. The import reports a failure.
  await ensure(provider.feature).catch(() => {});
  try {
    return { search: await provider.connect() };
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return { code: error.cause?.code, hint: error.cause?.hint };
  }
}
