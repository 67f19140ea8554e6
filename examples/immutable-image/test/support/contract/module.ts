/** Literals of an ES module, and the environment variables that it reads. */
import { parseAst } from 'rolldown/parseAst';
import { remember } from './files.ts';

/** The parts of an ESTree node used here. */
interface Node {
  type: string;
  [key: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof (value as Node | null | undefined)?.type === 'string';

/** All nodes of a module. */
function* walk(node: Node): Generator<Node> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value])
      if (isNode(child)) yield* walk(child);
  }
}

/** Facts about a module. */
export interface ModuleFacts {
  /** Strings, and the fixed parts of templates. */
  strings: string[];
  /** Keys of object literals that are strings. */
  keys: string[];
  /** Environment variables: `process.env.NAME`, and every NAME_IN_CAPITALS that is not a constant. */
  variables: string[];
  /** Literal arguments of calls, by function name. */
  calls: { name: string; literals: unknown[] }[];
  /** Values of constants by name: a literal, or the keys of an object. */
  constants: Map<string, unknown[]>;
}

/** Parses a module. @throws on a syntax error */
export const readModule = remember((text): ModuleFacts => {
  const facts: ModuleFacts = {
    strings: [],
    keys: [],
    variables: [],
    calls: [],
    constants: new Map(),
  };
  for (const node of walk(parseAst(text) as unknown as Node)) {
    const { type, value, object, property, callee, arguments: args, init, key, id } = node;
    if (type === 'Literal' && typeof value === 'string') facts.strings.push(value);
    if (type === 'TemplateElement') facts.strings.push((value as { raw: string }).raw);
    if (type === 'MemberExpression' && nameOf((object as Node).property) === 'env') {
      facts.variables.push(nameOf(property) ?? '');
    }
    if (type === 'Identifier' && /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(`${node.name}`)) {
      facts.variables.push(`${node.name}`);
    }
    if (type === 'Property' && typeof (key as Node).value === 'string') {
      facts.keys.push(`${(key as Node).value}`);
    }
    if (type === 'CallExpression') {
      const literals = (args as Node[]).map((argument) => argument.value);
      facts.calls.push({ name: nameOf(callee) ?? '', literals });
    }
    if (type === 'VariableDeclarator' && isNode(init)) {
      facts.constants.set(nameOf(id) ?? '', readValues(init));
    }
  }
  facts.variables = facts.variables.filter((name) => !facts.constants.has(name));
  return facts;
});

const nameOf = (node: unknown): string | undefined =>
  isNode(node) ? ((node.name ?? node.value) as string | undefined) : undefined;

function readValues({ type, value, elements, properties }: Node): unknown[] {
  if (type === 'ArrayExpression') return (elements as Node[]).map((element) => element.value);
  if (type === 'ObjectExpression') return (properties as Node[]).map(({ key }) => nameOf(key));
  return [value];
}
