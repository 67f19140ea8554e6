/** What the failures of a registry mean, in our codes. */
import type { ErrorCode, Refusal } from '../types.ts';

/** What helps, whoever spoke to the registry: npm or this process. */
export const REGISTRY_HINTS = {
  certificate: 'give npm the certificate of that registry (cafile)',
  integrity: 'find out which registry or mirror serves other bytes than it lists',
  offline: 'reach the registry from here, or name another one in an .npmrc',
  signIn: 'give npm a valid token for that registry in an .npmrc',
};

/**
 * A registry that refuses a sign-in, where an .npmrc refers to a variable that is not set: npm and annex
 * then send the text `${NAME}`.
 */
export function nameUnset(
  refusal: Refusal,
  unset: readonly { name: string; file: string }[],
): Refusal {
  if (refusal.hint !== REGISTRY_HINTS.signIn || unset.length === 0) return refusal;
  const found = unset.map(({ name, file }) => `${file} refers to ${name}, which is not set`);
  const names = [...new Set(unset.map(({ name }) => name))].join(' and ');
  return {
    ...refusal,
    reason: [refusal.reason, ...found].join('; '),
    hint: `set ${names}, or ${refusal.hint}`,
  };
}

/** Codes of Node and OpenSSL for a certificate that is not trusted. */
export const CERTIFICATE =
  /\b(UNABLE_TO_\w+|SELF_SIGNED_\w+|DEPTH_ZERO_\w+|CERT_\w+|ERR_TLS_\w+)\b/;

/** One request, as a message names it. */
export interface Asked {
  /** What was wanted: `exa-js@1.9.0`. */
  what: string;
  /** Who answered or did not: a host, no credentials. */
  host: string;
  /** Host of the proxy between. */
  proxy?: string | undefined;
}

/** An answer that is not the thing itself. */
export function refuseStatus(asked: Asked, status: number): Refusal {
  const make = (code: ErrorCode, hint: string): Refusal => ({
    code,
    reason: `${asked.what}: ${nameHost(asked)} answered ${status}`,
    hint,
  });
  if (status === 401 || status === 403) return make('ANNEX_INSTALL_FAILED', REGISTRY_HINTS.signIn);
  if (status === 407) {
    return make('ANNEX_INSTALL_FAILED', 'give npm the credentials of the proxy (https-proxy)');
  }
  if (status === 404 || status === 410) {
    return make(
      'ANNEX_INSTALL_FAILED',
      'name a registry that holds this version in an .npmrc, or lock another version',
    );
  }
  if (isPassing(status)) {
    return { ...make('ANNEX_OFFLINE', REGISTRY_HINTS.offline), host: asked.host };
  }
  return make('ANNEX_INSTALL_FAILED', 'find out why that registry refuses it');
}

/** Whether the same request may go well later. */
export const isPassing = (status: number): boolean =>
  [408, 420, 429].includes(status) || status >= 500;

/** No answer, or half of one. */
export function refuseConnection(asked: Asked, code: string): Refusal {
  const isCertificate = CERTIFICATE.test(code);
  const what = isCertificate ? 'has a certificate that is not trusted' : 'cannot be reached';
  return {
    code: 'ANNEX_OFFLINE',
    reason: `${asked.what}: ${nameHost(asked)} ${what}: ${code}`,
    hint: isCertificate ? REGISTRY_HINTS.certificate : REGISTRY_HINTS.offline,
    host: asked.host,
  };
}

/** A token that no request can carry: often one from a file, with its line end. */
export const refuseSignIn = ({ what, host }: Asked): Refusal => ({
  code: 'ANNEX_INSTALL_FAILED',
  reason: `${what}: the token or password for ${host} holds a character that no header can`,
  hint: REGISTRY_HINTS.signIn,
});

/** Bytes that are not the locked ones; while they are being locked, not the listed ones. */
export function refuseDigest(
  asked: Asked,
  { wanted, got, size, isFirst }: { wanted: string; got: string; size: number; isFirst: boolean },
): Refusal {
  const is = isFirst ? 'listed is' : 'locked is';
  return {
    code: 'ANNEX_INTEGRITY',
    reason: `${asked.what}: ${nameHost(asked)} sent ${size} bytes with ${shorten(got)}, ${is} ${shorten(wanted)}`,
    hint: REGISTRY_HINTS.integrity,
  };
}

/** More bytes than the lock, or any package, has: the rest was not read. */
export const refuseSize = (asked: Asked, most: number): Refusal => ({
  code: 'ANNEX_INTEGRITY',
  reason: `${asked.what}: ${nameHost(asked)} sends more than ${most} bytes`,
  hint: REGISTRY_HINTS.integrity,
});

/**
 * No digest that tells the bytes from all others.
 *
 * @param algorithm the best that is listed; undefined when none is
 */
export const refuseWeak = (what: string, algorithm: string | undefined): Refusal => ({
  code: 'ANNEX_INTEGRITY',
  reason: `${what} cannot be verified: its registry lists ${algorithm === undefined ? 'no digest' : `no digest better than ${algorithm}`}`,
  hint: 'lock it, which records a sha512: npx annex lock',
});

/** A package of a registry that only the scope's own setting names, and that is not set here. */
export const refuseElsewhere = (what: string, name: string): Refusal => ({
  code: 'ANNEX_INSTALL_FAILED',
  reason: `${what} was locked from a registry of its own, and no registry is set for it here`,
  hint: `name that registry in an .npmrc${name.startsWith('@') ? `: ${name.split('/', 1)[0]}:registry=URL` : ''}`,
});

/** What can be had from npm's cache alone, and is not there. */
export function refuseUncached(what: string): Refusal {
  return {
    code: 'ANNEX_OFFLINE',
    reason: `npm is set to offline and ${what} is not in its cache`,
    hint: 'remove that setting, or fill the cache (npm cache add)',
  };
}

/** An answer that this process does not follow or take. */
export function refuseAnswer(asked: Asked, problem: string): Refusal {
  return {
    code: 'ANNEX_INSTALL_FAILED',
    reason: `${asked.what}: ${nameHost(asked)} ${problem}`,
    hint: 'find out what that registry does, or name another one in an .npmrc',
  };
}

const nameHost = ({ host, proxy }: Asked): string =>
  proxy === undefined ? host : `${host} (through the proxy ${proxy})`;

/** `sha512-` and the first characters: enough to tell two apart. */
const shorten = (digest: string): string => `${digest.slice(0, 'sha512-'.length + 10)}...`;
