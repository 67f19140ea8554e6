/** What an ES module of the example says: its literals, and the variables of the environment that it reads. */
import { parseAst } from 'rolldown/parseAst';
import { remember } from './files.ts';

/** A node of ESTree, as far as it is looked at here. */
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

/** What can be read in a module. */
export interface ModuleFacts {
  /** Strings, and the fixed parts of templates. */
  strings: string[];
  /** Keys of object literals that are strings. */
  keys: string[];
  /** Variables of the environment: `process.env.NAME`, and every NAME_IN_CAPITALS that is no constant. */
  variables: string[];
  /** By the name of the function: the literals among the arguments of its calls. */
  calls: { name: string; literals: unknown[] }[];
  /** By the name of a constant: its value, or the keys of an object, when they are literals. */
  constants: Map<string, unknown[]>;
}

/** Reads a module; a mistake in it throws. */
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
