/** G6: the whole message of each failure of a registry, and of what it sends. */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { test } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { esmPackage } from '../support/fixtures.ts';
import { lock } from '../support/lock-files.ts';
import { expectMessage, kit, type MessageCase, type Prepare } from '../support/messages.ts';
import { packFixture } from '../support/package.ts';
import { type Fault, startRegistry } from '../support/registry.ts';
import { startStrangeRegistry } from '../support/strange-registry.ts';

/** Locks the application, and then has requests for tarballs fail. */
const locked =
  (fault?: Fault, match = /\.tgz$/): Prepare =>
  async ({ sandbox, registry }) => {
    await lock(sandbox);
    if (fault !== undefined) registry.fault(fault, match);
    return undefined;
  };

const status = (code: number): Fault => ({ kind: 'status', status: code });

const CASES: MessageCase[] = [
  {
    title: 'a registry that is down',
    prepare: async (world) => {
      await lock(world.sandbox);
      await world.registry.stop();
      return undefined;
    },
    message:
      'annex: kit unavailable (ANNEX_OFFLINE): registry <host> cannot be reached (ECONNREFUSED), asked by main.mjs. Next try at <time>; other features unaffected. Now: check the network and the proxy, or set another registry in npm_config_registry or an .npmrc, then npx annex install kit',
  },
  {
    title: 'a certificate that is not trusted',
    prepare: async ({ sandbox }) => {
      const secure = await startRegistry([kit()], { tls: makeCertificate() });
      await lock(sandbox);
      sandbox.write('app/.npmrc', `registry=${secure.url}\n`);
      return { env: { npm_config_registry: undefined } };
    },
    message:
      'annex: kit unavailable (ANNEX_OFFLINE): registry <other host> has a certificate that is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT), asked by main.mjs. Next try at <time>; other features unaffected. Now: set npm_config_cafile to the certificate of the authority that signed it, then npx annex install kit',
  },
  {
    title: 'a broken registry',
    prepare: locked(status(503)),
    message:
      'annex: kit unavailable (ANNEX_OFFLINE): registry <host> answered 503 for kit@1.0.0, asked by main.mjs. Next try at <time>; other features unaffected. Now: wait until the registry works again, or set another one in npm_config_registry or an .npmrc, then npx annex install kit',
  },
  {
    title: 'a registry with too many requests',
    prepare: locked({ kind: 'status', status: 429, headers: { 'retry-after': '3600' } }),
    message:
      'annex: kit unavailable (ANNEX_OFFLINE): registry <host> asked to slow down (429) for kit@1.0.0, asked by main.mjs. Next try at <time>; other features unaffected. Now: wait, or set a pull-through cache as the registry in npm_config_registry or an .npmrc, or bake a layer, then npx annex install kit',
  },
  {
    title: 'a rejected token',
    prepare: locked(status(401)),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): registry <host> answered 401 for kit@1.0.0, asked by main.mjs. Next try at <time>; other features unaffected. Now: give npm a valid token for that registry in an .npmrc, such as the file in npm_config_userconfig, then npx annex install kit',
  },
  {
    title: 'a proxy that asks for credentials',
    prepare: locked(status(407)),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): registry <host> answered 407 for kit@1.0.0, asked by main.mjs. Next try at <time>; other features unaffected. Now: set the credentials of the proxy in https-proxy in an .npmrc, then npx annex install kit',
  },
  {
    title: 'a version that is gone',
    prepare: locked(status(404)),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): registry <host> answered 404 for kit@1.0.0, asked by main.mjs. Next try at <time>; other features unaffected. Now: set a registry that has this version in npm_config_registry or an .npmrc, or lock another version, then npx annex install kit',
  },
  {
    title: 'a refusal without a reason',
    prepare: locked(status(418)),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): registry <host> answered 418 for kit@1.0.0, asked by main.mjs. Next try at <time>; other features unaffected. Now: find out why that registry refuses it, then npx annex install kit',
  },
  {
    title: 'other bytes',
    prepare: locked({ kind: 'wrong-digest' }),
    message:
      'annex: kit unavailable (ANNEX_INTEGRITY): kit@1.0.0: <host> sent 246 bytes with <digest>, locked is <digest>, asked by main.mjs. Next try at <time>; other features unaffected. Now: find out which registry or mirror serves other bytes than it lists, then npx annex install kit',
  },
  {
    title: 'bytes without an end',
    prepare: locked({ kind: 'endless' }),
    message:
      'annex: kit unavailable (ANNEX_INTEGRITY): kit@1.0.0: <host> sends more than 246 bytes, asked by main.mjs. Next try at <time>; other features unaffected. Now: find out which registry or mirror serves other bytes than it lists, then npx annex install kit',
  },
  {
    title: 'npm is offline',
    prepare: async (world) => {
      await lock(world.sandbox);
      return {
        env: { npm_config_offline: 'true', npm_config_cache: `${world.sandbox.home}/none` },
      };
    },
    message:
      'annex: kit unavailable (ANNEX_OFFLINE): npm is set to offline and kit@1.0.0 is not in its cache, asked by main.mjs. Next try at <time>; other features unaffected. Now: remove the setting offline, or fill the cache: npm cache add, then npx annex install kit',
  },
  {
    title: 'a token with a line end',
    prepare: async ({ sandbox, registry }) => {
      await lock(sandbox);
      const host = registry.url.replace('http:', '');
      sandbox.write('app/.npmrc', `${host}/:_authToken=\${TOKEN}\n`);
      return { env: { TOKEN: 'a\nb' } };
    },
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): the token or password for <host> contains a character that HTTP headers do not allow, asked by main.mjs. Next try at <time>; other features unaffected. Now: remove that character, which is often the line end of the file that the token was read from, then npx annex install kit',
  },
  {
    title: 'a variable that an .npmrc names and nobody set',
    prepare: async ({ sandbox, registry }) => {
      await lock(sandbox);
      const host = registry.url.replace('http:', '');
      sandbox.write('app/.npmrc', `${host}/:_authToken=\${NPM_TOKEN}\n`);
      registry.fault(status(401), /\.tgz$/);
      return undefined;
    },
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): registry <host> answered 401 for kit@1.0.0; <core>/.npmrc refers to NPM_TOKEN, which is not set, asked by main.mjs. Next try at <time>; other features unaffected. Now: set NPM_TOKEN, or give npm a valid token for that registry in an .npmrc, such as the file in npm_config_userconfig, then npx annex install kit',
  },
  {
    title: 'a package of a private registry that is not configured',
    annex: { features: { kit: { packages: { '@corp/kit': '^1.0.0' } } } },
    specifier: '@corp/kit',
    prepare: async ({ sandbox }) => {
      const corp = await startRegistry([esmPackage('@corp/kit', '1.0.0', '')]);
      sandbox.write('app/.npmrc', `@corp:registry=${corp.url}\n`);
      await lock(sandbox);
      sandbox.write('app/.npmrc', '');
      return { env: { npm_config_registry: undefined } };
    },
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): @corp/kit@1.0.0 was locked from another registry than the default one, and none is configured for it here, asked by main.mjs. Next try at <time>; other features unaffected. Now: set that registry in an .npmrc: @corp:registry=URL, then npx annex install kit',
  },
  {
    title: 'a redirect without an end',
    prepare: locked({ kind: 'status', status: 302, headers: { location: '/kit/-/kit-1.0.0.tgz' } }),
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): registry <host> redirects too often (kit@1.0.0), asked by main.mjs. Next try at <time>; other features unaffected. Now: find out what answers there, or set another registry in npm_config_registry or an .npmrc, then npx annex install kit',
  },
  {
    title: 'a digest that is too weak',
    prepare: async () => {
      const list = ({ tarball }: Record<string, unknown>, bytes: Buffer) => ({
        tarball,
        integrity: `sha1-${createHash('sha1').update(bytes).digest('base64')}`,
      });
      const { url } = await startStrangeRegistry([kit()], { list });
      return { env: { npm_config_registry: url } };
    },
    message:
      'annex: kit unavailable (ANNEX_INTEGRITY): kit@1.0.0 cannot be verified: its registry lists no digest better than sha1, asked by main.mjs. Next try at <time>; other features unaffected. Now: lock the feature, which records a sha512: npx annex lock, then npx annex install kit',
  },
  {
    title: 'an archive that ends too early',
    packages: [{ ...kit(), tarball: packFixture(kit()).tarball.subarray(0, 60) }],
    message:
      'annex: kit unavailable (ANNEX_INTEGRITY): the tarball of kit 1.0.0: it states a size of 2057965725 bytes, which is too large, asked by main.mjs. Next try at <time>; other features unaffected. Now: use another version of the package, then npx annex install kit',
  },
  {
    title: 'an archive that is cut off',
    packages: [
      { ...kit(), tarball: gzipSync(gunzipSync(packFixture(kit()).tarball).subarray(0, 600)) },
    ],
    message:
      'annex: kit unavailable (ANNEX_INTEGRITY): the tarball of kit 1.0.0: it is truncated, asked by main.mjs. Next try at <time>; other features unaffected. Now: use another version of the package, then npx annex install kit',
  },
  {
    title: 'the tarball of another package',
    packages: [{ ...kit(), tarball: packFixture(esmPackage('other', '1.0.0', '')).tarball }],
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): the package.json in the tarball of kit has the name other, asked by main.mjs. Next try at <time>; other features unaffected. Now: check what the registry serves under that name, then npx annex install kit',
  },
  {
    title: 'a page in place of the list of versions',
    prepare: async ({ sandbox, registry }) => {
      await lock(sandbox);
      registry.fault({ kind: 'page', body: '<html>' }, /kit$/);
      registry.fault(status(404), /\.tgz$/);
      return undefined;
    },
    message:
      'annex: kit unavailable (ANNEX_INSTALL_FAILED): registry <host> does not answer with a JSON object (kit@1.0.0), asked by main.mjs. Next try at <time>; other features unaffected. Now: find out what answers there, or set another registry in npm_config_registry or an .npmrc, then npx annex install kit',
  },
];

test.concurrent.for(CASES)('$title', (one) => expectMessage(one));
