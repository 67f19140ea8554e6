// Three ways to search, none of which the service ships: each is imported when it is first asked.
import { ensure } from 'annex';

const { EXA_API_KEY = 'none', FIRECRAWL_API_KEY = 'none', OPENAI_API_KEY = 'none' } = process.env;

/** In the order in which they are tried. `connect` gives a function from a query to titles. */
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
 * Connects to a provider. A package that cannot be had is an answer, not a failure: the `cause` of
 * Node's own error says why, and what to do.
 */
export async function connect(provider) {
  // Installs without blocking, so that /health answers meanwhile. What goes wrong, the import says.
  await ensure(provider.feature).catch(() => {});
  try {
    return { search: await provider.connect() };
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return { code: error.cause?.code, hint: error.cause?.hint };
  }
}
