/** What is markup of JSX in a source, and what is not. A `#` in the texts stands for a dollar sign. */
import { expect, test } from 'vitest';
import { blankJsx } from '../../../src/cli/scan/jsx.ts';

/** The text that is left, with its spaces joined. */
const left = (text: string): string =>
  blankJsx(text.replaceAll('#', '$')).replace(/\s+/g, ' ').trim();

test.each([
  ["x = <p>It's</p>;", 'x = ;'],
  ['x = <a.b c-d="1" e=\'"\' f/>;', 'x = ;'],
  ['x = <>a > b<br/></>;', 'x = ;'],
  ['x = <p>{a}{"}"}{`#{{}}}`}</p>;', 'x = {a}{"}"}{`#{{}}}`} ;'],
  ['x = <a b={<c d={e}/>}>{f && <g>/*</g>}</a>;', 'x = { {e} } {f && } ;'],
  ['return <p>//</p>', 'return'],
  ['() => a ? <b/> : <c></c>', '() => a ? :'],
  ['`#{<b>`</b>}`', '`#{ }`'],
  ['x = <Select<Map<string, string>> a={b} />', 'x = {b}'],
])('%s', (text, expected) => {
  expect(left(text)).toBe(expected.replaceAll('#', '$'));
});

test.each([
  ['a comparison', "a < b; c = d<e>('</e>')"],
  ['a type parameter', "const f = <T,>(x: T) => '</T>', g = <T extends B>() => '/>'"],
  ['a type of a function', "type F = <T>(x: T) => Array<T>; '</T'"],
  ['another name at the end', 'x = <a>b</c>'],
  ['no end', 'x = <a>b; y = <b c={<d/>}>'],
  ['a string', "x = '<a></a>'"],
  ['a template', 'x = `<a></a>`+`<c/>`'],
  ['a regular expression', 'x = /<a>[/]<\\/a>/; y = (/= <b></b>/)'],
  ['a comment', '// x = <a></a>\n/* y = <b></b> */'],
])('%s is not markup', (_, text) => {
  const isPartial = text.includes('<d/>');
  expect(blankJsx(text)).toBe(isPartial ? text.replace('<d/>', '    ') : text);
});

test('lines and columns stay', () => {
  expect(blankJsx('x = <p\n  a="b">\n  {c}\n</p>\n;')).toBe('x =   \n        \n  {c}\n    \n;');
});
