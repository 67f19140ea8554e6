/** Composes every message of an AnnexError, without credentials. */
import type { Refusal } from '../types.ts';

/** The request that a message names beside the refusal. */
export interface Context {
  feature: string;
  specifier?: string | undefined;
  /** The requesting file, relative to the core root where possible. */
  asker?: string | undefined;
}

/**
 * One line, always in the same order: what, which code, why, asked by which file, what state
 * things are in, what to do next.
 */
export function composeMessage(refusal: Refusal, { feature, asker }: Context): string {
  const asked = asker === undefined ? '' : `, asked by ${asker}`;
  const state = refusal.state ?? 'Other features unaffected';
  return toLine(
    `annex: ${feature} unavailable (${refusal.code}): ${refusal.reason}${asked}. ${state}. Now: ${refusal.hint}`,
  );
}

/** One line about a setting: what is wrong, which code, what to do next. */
export function composeNotice({ code, reason, hint }: Refusal): string {
  return toLine(`annex: ${reason} (${code}). Now: ${hint}`);
}

/** One line without credentials, whatever a path or a program has put into it. */
const toLine = (text: string): string => redact(text).replace(/\p{Cc}+/gu, ' ');

/**
 * A name of a file as a terminal may show it: on one line, with control characters as JSON writes them.
 *
 * @example showName('two\nlines') // 'two\\nlines'
 */
export const showName = (name: string): string =>
  name.replace(/\p{Cc}/gu, (sign) => {
    const json = JSON.stringify(sign).slice(1, -1);
    return json === sign ? `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}` : json;
  });

/**
 * Takes credentials out of a text that came from elsewhere (npm, a URL, a configuration).
 *
 * @example redact('https://me:secret@registry.corp/') // 'https://***@registry.corp/'
 */
export function redact(text: string): string {
  return text
    .replace(/(\/\/)[^/\s"']+@/g, '$1***@')
    .replace(
      /((?:_auth|password|token|authorization)["']?\s*[=:]\s*["']?)(?:(?:basic|bearer)\s+)?[^\s"',}&]+/gi,
      '$1***',
    )
    .replace(/\b(npm_[A-Za-z0-9]{20,}|(?:basic|bearer)\s+[A-Za-z0-9+/=._-]{8,})/gi, '***');
}
