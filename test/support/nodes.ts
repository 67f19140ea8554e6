/** The Node binaries that end-to-end tests run under: those in ANNEX_TEST_NODES, else the one running vitest. */
import { execFileSync } from 'node:child_process';
import { delimiter } from 'node:path';

/** One Node binary under test. */
export interface NodeUnderTest {
  /** What `node --version` answers, such as `v22.15.0`. */
  label: string;
  /** Absolute path of the binary. */
  path: string;
  major: number;
  minor: number;
}

/** Asks a Node binary for its version. */
export function describeNode(path: string): NodeUnderTest {
  // Scrubbed: a preload in NODE_OPTIONS must not run here.
  const label = execFileSync(path, ['--version'], { encoding: 'utf8', env: {} }).trim();
  const [, major, minor] = /^v(\d+)\.(\d+)\./.exec(label) ?? [];
  if (!major || !minor) throw new Error(`${path} --version answered ${JSON.stringify(label)}`);
  return { label, path, major: Number(major), minor: Number(minor) };
}

const paths = process.env.ANNEX_TEST_NODES?.split(delimiter).filter(Boolean) ?? [];

/**
 * Every Node under test, in the order of ANNEX_TEST_NODES (absolute paths, split at the path delimiter).
 * @example describe.each(nodes)('$label', ({ path }) => { ... sandbox.run(args, { node: path }) ... })
 */
export const nodes: NodeUnderTest[] = (paths.length > 0 ? paths : [process.execPath]).map(
  describeNode,
);

/** The oldest and the newest of them, for tests that hardly depend on the version. */
export const outerNodes: NodeUnderTest[] = nodes.filter(
  (_, index) => index === 0 || index === nodes.length - 1,
);
