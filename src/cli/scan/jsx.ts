/** Takes the markup of JSX out of a source, for a lexer that reads JavaScript only. */

/** Words before an expression. Any other word is an operand, and `<` or a slash after it an operator. */
const BEFORE_EXPRESSION = new Set(
  'await case default delete do else extends in instanceof new of return throw typeof void yield'.split(
    ' ',
  ),
);

const SPACE = String.raw`\s+|\/\/.*|\/\*[\s\S]*?\*\/`;
const TEXT = String.raw`'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"`;
const REGEXP = String.raw`\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*`;

/** The next token, or space, where an operator can stand, and where an expression can start. */
const AFTER_OPERAND = new RegExp(`${SPACE}|${TEXT}|[\\w$]+|[\\s\\S]`, 'y');
const EXPRESSION = new RegExp(`${SPACE}|${REGEXP}|${TEXT}|[\\w$]+|[\\s\\S]`, 'y');

/** What precedes an expression or the end of the template. */
const TEMPLATE_TEXT = /(?:\\[\s\S]|\$(?!\{)|[^\\`$])*/y;

/** A tag up to its first attribute, with the name; the name of a fragment is empty. */
const OPENING = /<(?:([A-Za-z_$][\w$.:-]*)(?:<(?:[^<>]|<[^<>]*>)*>)?|(?=\s*>))/y;
const ATTRIBUTES = new RegExp(`(?:${SPACE}|[\\w$.:-]+|=|"[^"]*"|'[^']*')*`, 'y');
const CHILD_TEXT = /[^<{]*/y;
const CLOSING = /<\s*\/\s*([\w$.:-]*)\s*>/y;

/**
 * Writes spaces in place of tags, attributes and text of JSX. The expressions between them stay where they are.
 * A `<` without a matching end, such as that of a type parameter, is left alone.
 *
 * @example blankJsx("x = <b id='1'>It's {await import('pg')}</b>") // "x =                {await import('pg')}    "
 */
export function blankJsx(text: string): string {
  if (!/<\s*\/|\/>/.test(text)) return text;
  const reader = createReader(text);
  reader.readCode(0);
  let blanked = '';
  for (const [start, end] of reader.markup) {
    blanked += text.slice(blanked.length, start) + text.slice(start, end).replace(/[^\n]/g, ' ');
  }
  return blanked + text.slice(blanked.length);
}

/** Reads code and elements. Each function takes a position and returns that after what it read. */
function createReader(text: string) {
  const markup: [start: number, end: number][] = [];
  const failed = new Set<number>();

  const match = (pattern: RegExp, at: number): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  const skip = (pattern: RegExp, at: number): number => at + (match(pattern, at)?.[0].length ?? 0);

  /** Up to the brace that closes the code, or to the end of the text. */
  const readCode = (start: number): number => {
    let at = start;
    let depth = 0;
    let isOperand = false;
    while (at < text.length) {
      const end = text[at] === '<' && !isOperand ? readElement(at) : undefined;
      if (end !== undefined || text[at] === '`') {
        at = end ?? readTemplate(at + 1);
        isOperand = true;
        continue;
      }
      const token: string = match(isOperand ? AFTER_OPERAND : EXPRESSION, at)?.[0] ?? '';
      if (token === '{') depth += 1;
      if (token === '}') depth -= 1;
      if (depth < 0 && start > 0) return at;
      at += token.length;
      if (/^(?:\s|\/[/*])/.test(token)) continue;
      isOperand = /[\w$)\]}'"]$/.test(token) && !BEFORE_EXPRESSION.has(token);
    }
    return at;
  };

  const readTemplate = (start: number): number => {
    let at = skip(TEMPLATE_TEXT, start);
    while (text[at] === '$') at = skip(TEMPLATE_TEXT, readCode(at + 2) + 1);
    return at + 1;
  };

  /** Undefined where no element starts. */
  const readElement = (start: number): number | undefined => {
    if (failed.has(start)) return undefined;
    const count = markup.length;
    const end = readTags(start);
    if (end !== undefined) return end;
    failed.add(start);
    markup.length = count;
    return undefined;
  };

  const readTags = (start: number): number | undefined => {
    const opening = match(OPENING, start);
    if (opening === null) return undefined;
    const [tag, name = ''] = opening;
    let from = start;
    let at = start + tag.length;
    let inside = ATTRIBUTES;
    for (;;) {
      at = skip(inside, at);
      if (text[at] === '{') {
        markup.push([from, at]);
        from = readCode(at + 1) + 1;
        at = from;
      } else if (inside === ATTRIBUTES) {
        if (text.startsWith('/>', at)) return close(from, at + 2);
        if (text[at] !== '>') return undefined;
        at += 1;
        inside = CHILD_TEXT;
      } else {
        const closing = match(CLOSING, at);
        if (closing !== null) {
          return closing[1] === name ? close(from, at + closing[0].length) : undefined;
        }
        markup.push([from, at]);
        const end = readElement(at);
        if (end === undefined) return undefined;
        from = end;
        at = end;
      }
    }
  };

  const close = (from: number, end: number): number => {
    markup.push([from, end]);
    return end;
  };

  return { markup, readCode };
}
