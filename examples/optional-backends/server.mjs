// A search service that uses the first available provider.
import 'annex/register';
import { createServer } from 'node:http';
import { status } from 'annex';
import { connect, providers } from './providers.mjs';

/** Responds without waiting for anything. */
const tellHealth = () => ({ ok: true });

/** Lists the state of each provider with its reason. Installs nothing. */
const listProviders = () =>
  status().features.map(({ feature, where, packages, refusal }) => ({
    feature,
    where,
    packages,
    ...(refusal && { code: refusal.code, hint: refusal.hint }),
  }));

async function search(query) {
  const skipped = [];
  for (const provider of providers) {
    const { feature } = provider;
    const { search, code, hint } = await connect(provider);
    if (search === undefined) {
      skipped.push({ feature, code, hint });
      continue;
    }
    try {
      return { feature, results: await search(query), skipped };
    } catch (error) {
      skipped.push({ feature, code: error.code, hint: error.message });
    }
  }
  return { results: [], skipped };
}

const routes = {
  '/health': tellHealth,
  '/providers': listProviders,
  '/search': ({ searchParams }) => search(searchParams.get('q') ?? ''),
};

const server = createServer(async (request, response) => {
  response.setHeader('content-type', 'application/json');
  try {
    const url = new URL(`http://localhost${request.url}`);
    const route = Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined;
    response.statusCode = route ? 200 : 404;
    response.end(JSON.stringify(route ? await route(url) : { error: 'not found' }));
  } catch (error) {
    response.statusCode = 500;
    response.end(JSON.stringify({ error: error.message }));
  }
});

server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
