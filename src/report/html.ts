/** HTML from templates: every value is escaped unless it is HTML itself. */
import { showText } from './text.ts';

/** A piece of HTML. */
export interface Html {
  readonly html: string;
}

/** What a template can contain. Undefined is nothing. */
export type Value = Html | string | number | undefined | readonly Value[];

/**
 * Composes HTML.
 *
 * @example html`<b title="${name}">${name}</b>`.html
 */
export const html = (parts: TemplateStringsArray, ...values: Value[]): Html => ({
  html: parts.reduce((all, part, index) => all + render(values[index - 1]) + part),
});

function render(value: Value): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'number') return String(value);
  return 'html' in value ? value.html : value.map(render).join('');
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text, and for attributes in quotes. */
const escapeText = (text: string): string =>
  showText(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/** Text of a program, such as a name, which keeps its direction to itself. */
export const code = (text: string): Html => html`<code>${text}</code>`;

/** Lists pieces with commas between them. */
export const commas = (values: readonly Value[]): Value[] =>
  values.flatMap((value, index) => (index === 0 ? [value] : [', ', value]));
