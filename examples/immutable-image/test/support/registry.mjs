// Test registry and APIs of the backends, in a container beside the image; faults are set over HTTP.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const [directory = '/packages', port = '4873'] = process.argv.slice(2);
/** Without a directory it serves only the APIs. */
const packages = directory ? JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) : [];
const requests = [];
/** Requests that wait until the registry is no longer held. */
const waiting = [];
let faults = { ms: 0, status: 0, isHeld: false };

function setFaults(wanted) {
  faults = { ms: 0, status: 0, isHeld: false, ...wanted };
  if (!faults.isHeld) for (const proceed of waiting.splice(0)) proceed();
}

const tarballPath = ({ name, version }) => `/${name}/-/${name.split('/').at(-1)}-${version}.tgz`;
const tarballs = new Map(packages.map((one) => [tarballPath(one), join(directory, one.file)]));

function describe(name, host) {
  const found = packages.filter((one) => one.name === name);
  if (found.length === 0) return undefined;
  const versions = found.map((one) => {
    const dist = { tarball: `http://${host}${tarballPath(one)}`, integrity: one.integrity };
    return [one.version, { ...one.manifest, dist }];
  });
  return {
    name,
    'dist-tags': { latest: found.at(-1).version },
    versions: Object.fromEntries(versions),
  };
}

/** Responses of the APIs by method and path; the SDKs read little of them. */
const apis = {
  'POST /search': ({ query }) => ({
    results: [{ id: '1', title: `exa: ${query}`, url: 'https://example.invalid/' }],
  }),
  'POST /v2/search': ({ query }) => ({
    success: true,
    data: { web: [{ title: `firecrawl: ${query}`, url: 'https://example.invalid/' }] },
  }),
  'POST /open-apis/auth/v3/tenant_access_token/internal': () => ({
    code: 0,
    msg: 'ok',
    tenant_access_token: 't-1',
    expire: 7200,
  }),
  'POST /open-apis/im/v1/messages': () => ({ code: 0, msg: 'ok', data: { message_id: 'om_1' } }),
};

/** Controls for the tests: list the requests so far, set faults, reset. */
const controls = {
  'GET /-/requests': () => requests,
  'POST /-/faults': (wanted) => {
    setFaults(wanted);
    return faults;
  },
  'POST /-/reset': () => {
    requests.length = 0;
    setFaults({});
    return {};
  },
};

function respond(response, status, body) {
  const isBytes = Buffer.isBuffer(body);
  const bytes = isBytes ? body : Buffer.from(JSON.stringify(body));
  const type = isBytes ? 'application/octet-stream' : 'application/json';
  response.writeHead(status, { 'content-type': type, 'content-length': bytes.length }).end(bytes);
}

async function serve(request, response) {
  const path = decodeURIComponent(new URL(request.url, 'http://registry').pathname);
  const line = `${request.method} ${path}`;
  const body = request.method === 'POST' ? await json(request).catch(() => ({})) : {};
  if (controls[line]) {
    // Otherwise a client could reuse an idle connection just as the server closes it.
    response.setHeader('connection', 'close');
    return respond(response, 200, controls[line](body));
  }
  requests.push(line);
  if (apis[line]) return respond(response, 200, apis[line](body));
  // Faults apply to the registry only.
  if (faults.isHeld) await new Promise((proceed) => waiting.push(proceed));
  if (faults.ms > 0) await sleep(faults.ms);
  if (faults.status > 0) return respond(response, faults.status, { error: 'fault' });
  const file = tarballs.get(path);
  const found = file ? readFileSync(file) : describe(path.slice(1), request.headers.host);
  respond(response, found ? 200 : 404, found ?? { error: 'Not found' });
}

const server = createServer((request, response) => {
  serve(request, response).catch((error) => response.destroy(error));
});
server.listen(Number(port), () => console.log('listening'));
process.once('SIGTERM', () => process.exit());
