/** The floor: the minimum that a Node program does to install a locked feature. Checks only digests. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const [list, target] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const made = new Set();

for (const pkg of JSON.parse(readFileSync(list, 'utf8'))) {
  get(pkg.url, { agent }, (response) => {
    const chunks = [];
    response.on('data', (chunk) => chunks.push(chunk));
    response.on('end', () => install(pkg, Buffer.concat(chunks)));
  });
}

function install({ path, integrity }, tarball) {
  const digest = createHash('sha512').update(tarball).digest('base64');
  if (`sha512-${digest}` !== integrity) throw new Error(`${path}: wrong digest`);
  unpack(gunzipSync(tarball), join(target, path));
}

/** https://www.gnu.org/software/tar/manual/html_node/Standard.html, with pax and GNU long names. */
function unpack(tar, to) {
  let longName;
  for (let at = 0; tar[at]; ) {
    const text = (from, length) => {
      const end = tar.indexOf(0, at + from);
      return tar.latin1Slice(at + from, Math.min(end, at + from + length));
    };
    const size = Number.parseInt(text(124, 12), 8);
    const type = String.fromCharCode(tar[at + 156]);
    const body = tar.subarray(at + 512, at + 512 + size);
    if (type === 'x') longName = /\d+ path=(.*)\n/.exec(body.toString())?.[1];
    else if (type === 'L') longName = body.toString().replace(/\0.*$/s, '');
    else {
      const prefix = tar.latin1Slice(at + 257, at + 262) === 'ustar' ? text(345, 155) : '';
      const name = longName ?? (prefix ? `${prefix}/${text(0, 100)}` : text(0, 100));
      longName = undefined;
      if (type === '0' || type === '\0') write(join(to, name.slice(name.indexOf('/') + 1)), body);
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

function write(path, body) {
  const directory = dirname(path);
  if (!made.has(directory)) {
    mkdirSync(directory, { recursive: true });
    made.add(directory);
  }
  writeFileSync(path, body);
}
