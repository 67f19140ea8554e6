/** A registry of one feature: six packages of 10 MB each, sent at a limited rate. */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const FILES = 100;
const FILE_SIZE = 100_000;
const PARTS = ['part-1', 'part-2', 'part-3', 'part-4', 'part-5'];
const VERSION = '1.0.0';
/** Pieces that a tarball is sent in, once the registry is slow. */
const PIECES = 100;

const [base, seconds] = process.argv.slice(2);
let url = '';
let isSlow = false;

/** Packs a package of random text, which compresses to three quarters. */
function pack(name, dependencies) {
  const home = join(base, 'packages', name);
  mkdirSync(join(home, 'package'), { recursive: true });
  const manifest = { name, version: VERSION, main: 'index.js', dependencies };
  writeFileSync(join(home, 'package/package.json'), JSON.stringify(manifest));
  writeFileSync(join(home, 'package/index.js'), `exports.name = '${name}';\n`);
  for (let index = 0; index < FILES; index++) {
    const text = randomBytes((FILE_SIZE * 3) / 4).toString('base64');
    writeFileSync(join(home, 'package', `data-${index}.js`), `exports.data = '${text}';\n`);
  }
  const tarball = join(home, 'package.tgz');
  const { status, stderr } = spawnSync('tar', ['-czf', tarball, '-C', home, 'package']);
  if (status !== 0) throw new Error(`tar: ${stderr}`);
  const body = readFileSync(tarball);
  const integrity = `sha512-${createHash('sha512').update(body).digest('base64')}`;
  return [name, { body, manifest, integrity }];
}

const parts = Object.fromEntries(PARTS.map((name) => [name, VERSION]));
const packages = new Map([
  pack('sixty-megabytes', parts),
  ...PARTS.map((name) => pack(name, undefined)),
]);

function describe(name, { manifest, integrity }) {
  const dist = { tarball: `${url}/${name}/-/${name}-${VERSION}.tgz`, integrity };
  const time = '2026-01-01T00:00:00.000Z';
  return JSON.stringify({
    name,
    'dist-tags': { latest: VERSION },
    versions: { [VERSION]: { ...manifest, dist } },
    time: { created: time, modified: time, [VERSION]: time },
  });
}

const server = createServer(async (request, response) => {
  const [, name = '', isTarball] = /^\/([^/]+)(\/-\/)?/.exec(request.url ?? '') ?? [];
  const found = packages.get(name);
  if (found === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"Not found"}');
  } else if (isTarball) {
    const { body } = found;
    response.writeHead(200, { 'content-length': body.length });
    const size = Math.ceil(body.length / PIECES);
    for (let start = 0; start < body.length; start += size) {
      if (isSlow) await sleep((Number(seconds) * 1000) / PIECES);
      response.write(body.subarray(start, start + size));
    }
    response.end();
  } else {
    response.writeHead(200, { 'content-type': 'application/json' }).end(describe(name, found));
  }
});
server.listen(0, '127.0.0.1', () => {
  url = `http://127.0.0.1:${server.address().port}`;
  process.send({ url });
});
process.on('message', () => {
  isSlow = true;
});
process.once('disconnect', () => process.exit());
