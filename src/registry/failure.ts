/** Refusals for failures of registries, and for packages that cannot be installed. */
import { AnnexError } from '../base/error.ts';
import type { ErrorCode, Refusal } from '../types.ts';
import { REGISTRY_HINTS } from './hints.ts';

/**
 * Adds the unset variables of an .npmrc to a rejected sign-in: npm and annex send the text `${NAME}` for
 * each.
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

/** The remedy for a code of Node or OpenSSL, or for a text of npm with one. */
export function findConnectionHint(text: string): string {
  if (/\bCERT_(?:HAS_EXPIRED|NOT_YET_VALID)\b/.test(text)) return REGISTRY_HINTS.dates;
  if (/\bERR_TLS_CERT_ALTNAME_INVALID\b/.test(text)) return REGISTRY_HINTS.otherHost;
  return CERTIFICATE.test(text) ? REGISTRY_HINTS.certificate : REGISTRY_HINTS.offline;
}

/** A request, as messages name it. */
export interface Target {
  /** The package: `exa-js@1.9.0`. */
  label: string;
  /** Host and port of the server, without credentials. */
  host: string;
  /** Host and port of the proxy. */
  proxy?: string | undefined;
}

/** Facts about a failed request that decide what is tried next. */
export interface FailureFacts {
  /** Another try may succeed. */
  isTransient: boolean;
  /** Status of the response. */
  status?: number;
  /** No response: no other address on that host will have one. */
  isUnreachable?: boolean;
  /** Milliseconds that the server asks to wait. */
  retryAfter?: number | undefined;
}

/** An AnnexError of one request. */
export type RequestError = AnnexError & FailureFacts;

export const makeRequestError = (refusal: Refusal, facts: FailureFacts): RequestError =>
  Object.assign(new AnnexError(refusal), facts);

export const isRequestError = (error: unknown): error is RequestError =>
  error instanceof AnnexError && Object.hasOwn(error, 'isTransient');

/** The packages themselves prevent an install. */
export const refuseInstall = (reason: string): Refusal => ({
  code: 'ANNEX_INSTALL_FAILED',
  reason,
  hint: 'check what the registry serves under that name',
});

/** Bytes that are not the expected ones. */
export const refuseIntegrity = (reason: string): Refusal => ({
  code: 'ANNEX_INTEGRITY',
  reason,
  hint: REGISTRY_HINTS.integrity,
});

/**
 * A response with another status than 200.
 *
 * @param retryAt when a server that asks to slow down allows the next request, ms since the epoch
 */
export function refuseStatus(target: Target, status: number, retryAt?: number): Refusal {
  const make = (code: ErrorCode, hint: string): Refusal => ({
    code,
    reason: `${nameRegistry(target)} answered ${status} for ${target.label}`,
    hint,
  });
  if (status === 401 || status === 403) return make('ANNEX_INSTALL_FAILED', REGISTRY_HINTS.signIn);
  if (status === 407) {
    return make('ANNEX_INSTALL_FAILED', REGISTRY_HINTS.proxy);
  }
  if (status === 404 || status === 410) {
    return make('ANNEX_INSTALL_FAILED', REGISTRY_HINTS.absent);
  }
  const { host } = target;
  const facts = { host, ...(retryAt !== undefined && { retryAt }) };
  if (status === 429) {
    return {
      ...make('ANNEX_OFFLINE', REGISTRY_HINTS.slowDown),
      reason: `${nameRegistry(target)} asked to slow down (429) for ${target.label}`,
      ...facts,
    };
  }
  if (isTransientStatus(status)) return { ...make('ANNEX_OFFLINE', REGISTRY_HINTS.busy), ...facts };
  return make('ANNEX_INSTALL_FAILED', 'find out why that registry refuses it');
}

/** Whether the same request may succeed later. */
export const isTransientStatus = (status: number): boolean =>
  [408, 420, 429].includes(status) || status >= 500;

/** Whether a registry asks to slow down: any other request to it gets the same answer. */
export const asksToSlowDown = (status: number, retryAfter: number | undefined): boolean =>
  status === 429 || (status === 503 && retryAfter !== undefined);

/** No response, or a part of one. */
export function refuseConnection(target: Target, code: string): Refusal {
  const problem = CERTIFICATE.test(code)
    ? 'has a certificate that is not trusted'
    : 'cannot be reached';
  return {
    code: 'ANNEX_OFFLINE',
    reason: `${nameRegistry(target)} ${problem} (${code})`,
    hint: findConnectionHint(code),
    host: target.host,
  };
}

/** A credential with a character that no header can contain: often the line end of the file it is from. */
export const refuseHeader = ({ host }: Target): Refusal => ({
  code: 'ANNEX_INSTALL_FAILED',
  reason: `the token or password for ${host} contains a character that HTTP headers do not allow`,
  hint: REGISTRY_HINTS.header,
});

/** Bytes that do not match the locked digest or, while locking, the listed one. */
export function refuseDigest(
  target: Target,
  {
    wanted,
    got,
    size,
    isLocking,
  }: { wanted: string; got: string; size: number; isLocking: boolean },
): Refusal {
  const is = isLocking ? 'listed is' : 'locked is';
  return {
    code: 'ANNEX_INTEGRITY',
    reason: `${target.label}: ${nameHost(target)} sent ${size} bytes with ${shortenDigest(got)}, ${is} ${shortenDigest(wanted)}`,
    hint: REGISTRY_HINTS.integrity,
  };
}

/** More bytes than the lock states, or than any package has. */
export const refuseSize = (target: Target, maxBytes: number): Refusal => ({
  code: 'ANNEX_INTEGRITY',
  reason: `${target.label}: ${nameHost(target)} sends more than ${maxBytes} bytes`,
  hint: REGISTRY_HINTS.integrity,
});

/**
 * No collision-resistant digest.
 *
 * @param algorithm the strongest that is listed; undefined without one
 */
export const refuseWeak = (label: string, algorithm: string | undefined): Refusal => ({
  code: 'ANNEX_INTEGRITY',
  reason: `${label} cannot be verified: its registry lists ${algorithm === undefined ? 'no digest' : `no digest better than ${algorithm}`}`,
  hint: 'lock the feature, which records a sha512: npx annex lock',
});

/** A package locked from a registry of its scope, which is not configured here. */
export const refuseElsewhere = (label: string, name: string): Refusal => ({
  code: 'ANNEX_INSTALL_FAILED',
  reason: `${label} was locked from another registry than the default one, and none is configured for it here`,
  hint: `set that registry in an .npmrc${name.startsWith('@') ? `: ${name.split('/', 1)[0]}:registry=URL` : ''}`,
});

/** npm is offline, and its cache does not hold the package. */
export function refuseUncached(label: string): Refusal {
  return {
    code: 'ANNEX_OFFLINE',
    reason: `npm is set to offline and ${label} is not in its cache`,
    hint: REGISTRY_HINTS.uncached,
  };
}

/** The error for a response that annex does not accept. */
export const failResponse = (target: Target, problem: string): RequestError =>
  makeRequestError(
    {
      code: 'ANNEX_INSTALL_FAILED',
      reason: `${nameRegistry(target)} ${problem} (${target.label})`,
      hint: REGISTRY_HINTS.response,
    },
    { isTransient: false },
  );

const nameHost = ({ host, proxy }: Target): string =>
  proxy === undefined ? host : `${host} (through the proxy ${proxy})`;

const nameRegistry = (target: Target): string =>
  target.host === '' ? 'the registry' : `registry ${nameHost(target)}`;

/** `sha512-` and the first characters, enough to distinguish two digests. */
const shortenDigest = (digest: string): string => `${digest.slice(0, 'sha512-'.length + 10)}...`;
