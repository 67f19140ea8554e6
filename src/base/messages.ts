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
const toLine = (text: string): string => showName(redact(text).replace(/\p{Cc}+/gu, ' '));

/** Control, format and bidirectional characters, line separators, lone surrogates, and what has no shape. */
export const INVISIBLE: RegExp =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Escapes the invisible characters of a text on one line as JSON does, for a terminal.
 *
 * @example showName('two\nlines') // 'two\\nlines'
 */
export const showName = (name: string): string => name.replace(INVISIBLE, escapeCharacter);

/** Ends of lines, tabs and the styles that annex uses, or one invisible character. */
const LAID_OUT = new RegExp(
  String.raw`[\n\t]|\x1b\[(?:1|2|22|31|32|33|39)m|${INVISIBLE.source}`,
  'gu',
);

/**
 * Escapes the invisible characters of a whole output as `showName` does, and keeps its lines and styles. JSON
 * stays the same JSON.
 *
 * @example showOutput('MIT\u202E\n') // 'MIT\\u202e\n'
 */
export const showOutput = (text: string): string =>
  text.replace(LAID_OUT, (found) => (/^[\n\t]|^.\[/.test(found) ? found : escapeCharacter(found)));

function escapeCharacter(character: string): string {
  const json = JSON.stringify(character).slice(1, -1);
  if (json !== character) return json;
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

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
