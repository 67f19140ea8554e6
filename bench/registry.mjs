/** Local npm registry in a separate process: serves real packuments and tarballs from memory. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { packumentFile, tarballFile } from './snapshot.mjs';

const SHORT = 'application/vnd.npm.install-v1+json';
/** https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md */
const SHORT_FIELDS = (
  'name version deprecated dependencies optionalDependencies devDependencies bundleDependencies ' +
  'bundledDependencies peerDependencies peerDependenciesMeta acceptDependencies bin directories ' +
  'dist engines funding cpu os libc _hasShrinkwrap hasInstallScript'
).split(' ');
const SCRIPTS = ['preinstall', 'install', 'postinstall'];

/** Responses by path and kind, created at the first request. */
const answers = new Map();
const misses = new Set();
let url = '';

function shorten({ name, 'dist-tags': tags, versions, time }) {
  const short = {};
  for (const [version, manifest] of Object.entries(versions)) {
    const hasInstallScript = SCRIPTS.some((script) => manifest.scripts?.[script]) || undefined;
    const all = { ...manifest, hasInstallScript };
    short[version] = Object.fromEntries(SHORT_FIELDS.map((field) => [field, all[field]]));
  }
  return { name, 'dist-tags': tags, versions: short, modified: time.modified };
}

function answerPackument(name, isShort) {
  const packument = JSON.parse(readFileSync(packumentFile(name), 'utf8'));
  for (const [version, { dist }] of Object.entries(packument.versions)) {
    dist.tarball = `${url}/${name}/-/${name.split('/').at(-1)}-${version}.tgz`;
  }
  const body = Buffer.from(JSON.stringify(isShort ? shorten(packument) : packument));
  return {
    body,
    gzipped: gzipSync(body),
    headers: {
      'content-type': isShort ? SHORT : 'application/json',
      'cache-control': 'public, max-age=300',
      vary: 'accept-encoding, accept',
      etag: `"${createHash('md5').update(body).digest('hex')}"`,
    },
  };
}

function answerTarball(name, version) {
  const body = readFileSync(tarballFile(name, version));
  const headers = {
    'content-type': 'application/octet-stream',
    'cache-control': 'public, immutable, max-age=31557600',
    etag: `"${createHash('md5').update(body).digest('hex')}"`,
  };
  return { body, headers };
}

/** @returns the response, or undefined if the snapshot does not have it */
function find(path, isShort) {
  const key = `${isShort} ${path}`;
  const known = answers.get(key);
  if (known) return known;
  const [, scoped, base, version] = /^\/((?:@[^/]+\/)?([^/]+))\/-\/\2-(.+)\.tgz$/.exec(path) ?? [];
  const name = scoped ?? path.slice(1);
  const file = version === undefined ? packumentFile(name) : tarballFile(name, version);
  if (!existsSync(file)) {
    misses.add(base === undefined ? name : `${name}@${version}`);
    return undefined;
  }
  const made = base === undefined ? answerPackument(name, isShort) : answerTarball(name, version);
  answers.set(key, made);
  return made;
}

/** Delay before each response, in ms. */
const delay = Number(process.argv[2] ?? 0);

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  if (delay > 0) setTimeout(serve, delay, request, response);
  else serve(request, response);
});

function serve(request, response) {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/-/misses') {
    response.end(JSON.stringify([...misses]));
    misses.clear();
    return;
  }
  const isShort = (request.headers.accept ?? '').includes(SHORT) && !pathname.endsWith('.tgz');
  const found = find(decodeURIComponent(pathname), isShort);
  if (found === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"Not found"}');
    return;
  }
  const { headers, gzipped } = found;
  if (request.headers['if-none-match'] === headers.etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const isZipped = gzipped && (request.headers['accept-encoding'] ?? '').includes('gzip');
  const body = isZipped ? gzipped : found.body;
  const encoding = isZipped ? { 'content-encoding': 'gzip' } : {};
  response.writeHead(200, { ...headers, ...encoding, 'content-length': body.length }).end(body);
}

server.listen(0, '127.0.0.1', () => {
  url = `http://127.0.0.1:${server.address().port}`;
  process.send?.({ url });
});
process.once('disconnect', () => process.exit());
