/** Composes the messages of errors and notices, without credentials. */
import type { Refusal } from '../types.ts';

/** The request that a message names beside the refusal. */
export interface Context {
  feature: string;
  specifier?: string | undefined;
  /** The requesting file, relative to the core root where possible. */
  asker?: string | undefined;
}

/**
 * Composes the message of an unavailable feature. One line, always in the same order: feature, code,
 * reason, requesting file, state, hint.
 */
export function composeMessage(refusal: Refusal, { feature, asker }: Context): string {
  const asked = asker === undefined ? '' : `, asked by ${asker}`;
  const state = refusal.state ?? 'Other features unaffected';
  return toLine(
    `annex: ${feature} unavailable (${refusal.code}): ${refusal.reason}${asked}. ${state}. Now: ${refusal.hint}`,
  );
}

/** Composes a message without a feature, on one line: reason, code, hint. */
export function composeNotice({ code, reason, hint }: Refusal): string {
  return toLine(`annex: ${reason} (${code}). Now: ${hint}`);
}

/** Removes credentials and control characters, which can come from a path or a program. */
const toLine = (text: string): string => redact(text).replace(/\p{Cc}+/gu, ' ');

/**
 * Escapes the control characters of a file name as JSON does, for a terminal.
 *
 * @example showName('two\nlines') // 'two\\nlines'
 */
export const showName = (name: string): string =>
  name.replace(/\p{Cc}/gu, (character) => {
    const json = JSON.stringify(character).slice(1, -1);
    return json === character
      ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
      : json;
  });

/**
 * Removes credentials from a text of npm, a URL or a configuration.
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
