/** An unusual registry, as behind a proxy: it lists, places and sends tarballs differently. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { closeLater } from './close.ts';
import { writeImporter } from './importer.ts';
import { type PackageFixture, packFixture } from './package.ts';
import { type Packument, writePackument } from './packument.ts';
import { createSandbox } from './sandbox.ts';

/** Differences from other registries. */
export interface Strangeness {
  /** Path of the registry on its host: `/api/npm/`. */
  base?: string;
  /** Listed place of a tarball: a path on its host, or a URL. */
  place?: (pkg: PackageFixture, url: string) => string;
  /** Changes the listed fields of a version. */
  list?: (dist: Record<string, unknown>, tarball: Buffer) => Record<string, unknown>;
  /** Answers a request for anything else than a packument or a tarball where it should be. */
  otherwise?: (request: IncomingMessage, response: ServerResponse) => void;
  /** Handles every request first; true when it has responded. */
  guard?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Sends the body of a response. */
  send?: (response: ServerResponse, body: Buffer, kind: 'packument' | 'tarball') => void;
}

/** A running registry. */
export interface StrangeRegistry {
  /** With a trailing slash. */
  url: string;
  /** `GET /path`, as received. */
  requests: string[];
}

const conventional = ({ name, version }: PackageFixture): string =>
  `${name}/-/${name.slice(name.indexOf('/') + 1)}-${version}.tgz`;

/** Starts one on loopback; each version of a package is unique. */
export async function startStrangeRegistry(
  packages: PackageFixture[],
  strangeness: Strangeness = {},
): Promise<StrangeRegistry> {
  const { base = '/', place, list = (dist) => dist, otherwise, guard, send } = strangeness;
  const requests: string[] = [];
  let url = '';
  const addressOf = (pkg: PackageFixture): string =>
    new URL(place?.(pkg, url) ?? conventional(pkg), url).href;

  const describe = (name: string): Packument | undefined => {
    const all = packages.filter((pkg) => pkg.name === name);
    if (all.length === 0) return undefined;
    const published = all.map((pkg) => ({ pkg, packed: packFixture(pkg) }));
    const packument = writePackument(name, url, published);
    for (const { pkg, packed } of published) {
      const version = packument.versions[pkg.version] as { dist: Record<string, unknown> };
      version.dist = list({ ...version.dist, tarball: addressOf(pkg) }, packed.tarball);
    }
    return packument;
  };

  const answer: NonNullable<Strangeness['send']> = send ?? ((response, body) => response.end(body));

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (guard?.(request, response)) return;
    const { href } = new URL(request.url ?? '/', url);
    const pkg = packages.find((one) => addressOf(one) === href);
    if (pkg !== undefined) return answer(response, packFixture(pkg).tarball, 'tarball');
    const path = decodeURIComponent(request.url ?? '/');
    const packument = path.startsWith(base) ? describe(path.slice(base.length)) : undefined;
    if (packument !== undefined) {
      response.setHeader('content-type', 'application/json');
      return answer(response, Buffer.from(JSON.stringify(packument)), 'packument');
    }
    if (otherwise !== undefined) return otherwise(request, response);
    response.writeHead(404).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`;
  closeLater(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url, requests };
}

/** Starts one, and opens a core that declares `kit` and has the program of `importIn`. */
export async function openStrange(
  node: string,
  packages: PackageFixture[],
  strangeness: Strangeness = {},
) {
  const registry = await startStrangeRegistry(packages, strangeness);
  const sandbox = await createSandbox({ node });
  sandbox.write('app/.npmrc', `registry=${registry.url}\n`);
  sandbox.setCore({ features: { kit: '^1.0.0' } });
  writeImporter(sandbox);
  return { registry, sandbox, env: { ANNEX_STORE: sandbox.store } };
}
