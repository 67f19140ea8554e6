/** Opens the sigstore library that npm contains, which verifies attestations. */
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { DEFAULT_PATH } from './run-npm.ts';

/** A verified statement, and extensions of the certificate that signed it. */
export interface VerifiedStatement {
  /** Media type of the payload. */
  type: string;
  payload: Buffer;
  /** Reads an extension of the certificate by its OID. */
  extension: (oid: string) => Buffer | undefined;
}

/** Verifies a bundle. Throws when it is not valid. */
export type Verifier = (bundle: unknown) => VerifiedStatement;

interface Bytes {
  rawBytes: Buffer;
}

/** A parsed bundle, as far as it is read here. */
interface Bundle {
  content: { $case: string; dsseEnvelope?: { payload: Buffer; payloadType: string } };
  verificationMaterial: {
    content: {
      $case: string;
      certificate?: Bytes;
      x509CertificateChain?: { certificates: Bytes[] };
    };
  };
}

interface Sigstore {
  createVerifier: (options: object) => Promise<{ verify: (bundle: unknown) => unknown }>;
}

interface Certificates {
  X509Certificate: {
    parse: (bytes: Buffer) => { extension: (oid: string) => { value: Buffer } | undefined };
  };
}

/**
 * Opens a verifier with sigstore's root of trust. As in npm, TUF updates the root from its repository, and npm's cache
 * holds it.
 *
 * @param cache npm's cache
 * @param path the PATH on which npm is found
 * @returns undefined when there is no npm with the library
 * @throws errors of the library when the root cannot be obtained
 * @see https://github.com/npm/pacote/blob/v21.0.4/lib/registry.js `sigstore.verify`
 */
export async function openVerifier(
  cache: string,
  path = DEFAULT_PATH,
): Promise<Verifier | undefined> {
  const require = findLibrary(path);
  if (require === undefined) return undefined;
  const sigstore = require('sigstore') as Sigstore;
  const { bundleFromJSON } = require('@sigstore/bundle') as {
    bundleFromJSON: (json: unknown) => Bundle;
  };
  const { X509Certificate } = require('@sigstore/core') as Certificates;
  const { verify } = await sigstore.createVerifier({
    tufCachePath: join(cache, '_tuf'),
    tufForceCache: true,
    retry: { retries: 1 },
  });
  return (json) => {
    verify(json);
    // The same parser as in `verify`: the statement and the certificate are those that were verified.
    const { content, verificationMaterial } = bundleFromJSON(json);
    const { certificate, x509CertificateChain } = verificationMaterial.content;
    const { rawBytes } = (x509CertificateChain?.certificates[0] ?? certificate) as Bytes;
    const { payload = Buffer.alloc(0), payloadType: type = '' } = content.dsseEnvelope ?? {};
    const parsed = X509Certificate.parse(Buffer.from(rawBytes));
    return { type, payload, extension: (oid) => parsed.extension(oid)?.value };
  };
}

/** The `require` of the first npm in PATH. */
function findLibrary(path: string): NodeJS.Require | undefined {
  const npm = path.split(delimiter).find((dir) => existsSync(join(dir, 'npm')));
  if (npm === undefined) return undefined;
  const require = createRequire(realpathSync(join(npm, 'npm')));
  try {
    require.resolve('sigstore');
    return require;
  } catch {
    return undefined;
  }
}
