/** An npm registry on loopback: serves real tarballs, records requests, and fails in the ways registries fail. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { closeLater } from './close.ts';
import { type PackageFixture, type PackedFixture, packFixture } from './package.ts';
import { abbreviatePackument, type Packument, writePackument } from './packument.ts';
import type { Fault, Registry, RegistryOptions } from './registry-types.ts';

export { type PackageFixture, packInstalled, packInstalledTree } from './package.ts';

export type { Fault, Registry, RegistryOptions } from './registry-types.ts';

interface Answer {
  type: string;
  body: Buffer;
}

interface Published {
  pkg: PackageFixture;
  packed: PackedFixture;
}

function answerJson(value: unknown, type = 'application/json'): Answer {
  return { type, body: Buffer.from(JSON.stringify(value)) };
}

/** Different bytes of the same length that unpack to the same files. */
function tamper(tarball: Buffer): Buffer {
  const bytes = Buffer.from(tarball);
  // https://www.rfc-editor.org/rfc/rfc1952: the operating system, which no program reads.
  bytes[9] = (bytes[9] ?? 0) ^ 1;
  return bytes;
}

/** For a fault that lasts until a test releases it. */
export function makeGate(): { until: Promise<void>; letGo: () => void } {
  let letGo = (): void => {};
  const until = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return { until, letGo };
}

/**
 * Starts a registry on a free loopback port.
 * @example
 * const registry = await startRegistry([esmPackage('alpha', '1.0.0', 'from-registry')]);
 * registry.fault({ kind: 'cut' }, /\.tgz$/);
 */
export async function startRegistry(
  packages: PackageFixture[],
  { base = '', files = '', tls }: RegistryOptions = {},
): Promise<Registry> {
  const published = new Map<string, Map<string, Published>>();
  const requests: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const advisories: { name: string; vulnerable_versions: string; [key: string]: unknown }[] = [];
  const audited: Registry['audited'] = [];
  let faults: { fault: Fault; match?: RegExp; left: number }[] = [];
  let url = '';

  const describePackage = (name: string): Packument | undefined => {
    const versions = published.get(name);
    return versions && writePackument(name, `${url}${files}`, [...versions.values()], registry);
  };

  const findTarball = (path: string, isTampered: boolean): Answer | undefined => {
    if (!path.startsWith(`${files}/`)) return undefined;
    const [, name = '', , version = ''] =
      /^\/((?:@[^/]+\/)?([^/]+))\/-\/\2-(.+)\.tgz$/.exec(path.slice(files.length)) ?? [];
    const found = published.get(name)?.get(version);
    if (!found) return undefined;
    const body = isTampered ? tamper(found.packed.tarball) : found.packed.tarball;
    return { type: 'application/octet-stream', body };
  };

  const findAttestations = (id: string): Answer | undefined => {
    const [, name = '', version = ''] = /^(.+)@(.+)$/.exec(id) ?? [];
    const { integrity = '' } = published.get(name)?.get(version)?.packed ?? {};
    const attestations = registry.attest?.(id, integrity);
    return attestations && answerJson({ attestations });
  };

  const answer = (path: string, accept: string, fault: Fault | undefined): Answer | undefined => {
    if (fault?.kind === 'page') return { type: 'text/html', body: Buffer.from(fault.body) };
    if (path === '/-/npm/v1/keys') return registry.signer && answerJson(registry.signer);
    if (path.startsWith('/-/npm/v1/attestations/'))
      return findAttestations(path.slice('/-/npm/v1/attestations/'.length));
    if (path.endsWith('.tgz')) return findTarball(path, fault?.kind === 'wrong-digest');
    const packument = describePackage(path.slice(1));
    if (!packument) return undefined;
    const short = 'application/vnd.npm.install-v1+json';
    if (!accept.includes(short)) return answerJson(packument);
    return answerJson(abbreviatePackument(packument), short);
  };

  /** Advisories for the requested packages; npm compares the versions itself. */
  const answerAudit = async (request: IncomingMessage): Promise<Answer> => {
    const body = await buffer(request);
    const isZipped = request.headers['content-encoding'] === 'gzip';
    const asked = JSON.parse(String(isZipped ? gunzipSync(body) : body)) as Record<
      string,
      string[]
    >;
    audited.push(asked);
    const listed = Object.keys(asked).map(
      (wanted) => [wanted, advisories.filter(({ name }) => name === wanted)] as const,
    );
    return answerJson(Object.fromEntries(listed.filter(([, found]) => found.length > 0)));
  };

  const findFault = (line: string): Fault | undefined => {
    const known = faults.findLast(({ match }) => !match || line.search(match) >= 0);
    if (known === undefined) return undefined;
    known.left -= 1;
    if (known.left === 0) faults = faults.filter((one) => one !== known);
    return known.fault;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    const line = `${request.method} ${path}`;
    requests.push(line);
    authorizations.push(request.headers.authorization);
    const fault = findFault(line);

    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'slow') await delay(fault.ms, undefined, { ref: false });
    await fault?.until;
    if (fault?.kind === 'status') {
      response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
      response.end(JSON.stringify({ error: `status ${fault.status}` }));
      return;
    }
    if (fault?.kind === 'endless') {
      sendForEver(response);
      return;
    }
    const accept = request.headers.accept ?? '';
    const isOurs = path.startsWith(`${base}/`);
    const isAudit = path === `${base}/-/npm/v1/security/advisories/bulk`;
    const usual = isOurs ? answer(path.slice(base.length), accept, fault) : undefined;
    const found = isAudit ? await answerAudit(request) : usual;
    const { type, body } = found ?? answerJson({ error: 'Not found' });
    response.writeHead(found ? 200 : 404, {
      'content-type': type,
      'content-length': body.length,
    });
    if (fault?.kind === 'cut' || fault?.kind === 'stall') {
      const half = body.subarray(0, Math.floor(body.length / 2));
      response.write(half, () => fault.kind === 'cut' && response.destroy());
      return;
    }
    response.end(body);
  };

  const sendForEver = (response: ServerResponse): void => {
    const chunk = Buffer.alloc(2 ** 16);
    const send = (): void => {
      if (response.destroyed) return;
      registry.sent += chunk.length;
      response.write(chunk, send);
    };
    send();
  };

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    serve(request, response).catch((error: unknown) => response.destroy(error as Error));
  };
  const server = tls ? createSecureServer(tls, listener) : createServer(listener);

  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });

  const registry: Registry = {
    url,
    requests,
    authorizations,
    sent: 0,
    fault(fault, match) {
      faults = match ? faults.filter((known) => String(known.match) !== String(match)) : faults;
      if (fault) {
        faults.push({
          fault,
          left: fault.times ?? Number.POSITIVE_INFINITY,
          ...(match && { match }),
        });
      } else if (!match) faults = [];
    },
    signer: undefined,
    attest: undefined,
    audited,
    advise(name, range) {
      const id = 1001 + advisories.length;
      const url = `https://advisories.invalid/${id}`;
      const rest = { severity: 'high', cwe: [], cvss: { score: 7.5, vectorString: null } };
      advisories.push({
        name,
        id,
        url,
        title: `${name} is broken`,
        vulnerable_versions: range,
        ...rest,
      });
    },
    async add(...added) {
      for (const pkg of added) {
        const versions = published.get(pkg.name) ?? new Map<string, Published>();
        published.set(pkg.name, versions.set(pkg.version, { pkg, packed: packFixture(pkg) }));
      }
    },
    async stop() {
      if (!server.listening) return;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    disconnect: () => server.closeAllConnections(),
  };

  await registry.add(...packages);
  await listen(0);
  const { port: own } = server.address() as AddressInfo;
  url = `${tls ? 'https' : 'http'}://127.0.0.1:${own}${base}`;
  registry.url = url;
  closeLater(() => registry.stop());
  return registry;
}
