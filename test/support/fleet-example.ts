/** The components of examples/fleet in a directory of their own, with the changes that its README asks for. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './package.ts';

/** A component of examples/fleet. */
export type Component = 'layer' | 'volume';

export const components: readonly Component[] = ['layer', 'volume'];

/** The digest that the example has where another one belongs. */
export const NO_DIGEST = `sha256:${'0'.repeat(64)}`;

/** What is changed in the files of the example. */
export interface Changes {
  /** The image of features. */
  reference?: string;
  /** The command of annex in the image of the application. */
  command?: readonly string[];
  /** The registry of packages. */
  registry?: string;
  /** More keys of the kustomization, as YAML. */
  more?: string;
}

/** Replaces a part of a text, which must be there. */
function change(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`the example has no ${JSON.stringify(from)}`);
  return text.replaceAll(from, to);
}

/**
 * Writes a kustomization of the application in test/data/fleet/base, the Deployment `shop` with the container `web`, and of a
 * component.
 * @param root an empty or missing directory
 */
export function writeFleet(
  root: string,
  component: Component,
  { reference, command, registry, more = '' }: Changes = {},
): void {
  mkdirSync(root, { recursive: true });
  cpSync(join(repositoryRoot, 'test/data/fleet/base'), join(root, 'base'), { recursive: true });
  cpSync(join(repositoryRoot, 'examples/fleet', component), join(root, component), {
    recursive: true,
  });
  const edit = (name: string, edits: (readonly [string, string])[]) => {
    const path = join(root, component, name);
    const text = edits.reduce(
      (text, [from, to]) => change(text, from, to),
      readFileSync(path, 'utf8'),
    );
    writeFileSync(path, text);
  };
  const edits: [string, string][] = [
    ['Deployment.\n  name: agent', 'Deployment.\n  name: shop'],
    ['- name: agent', '- name: web'],
  ];
  if (component === 'layer') {
    const example = `registry.example.com/agent-annex@${NO_DIGEST}`;
    if (reference !== undefined) edits.push([example, reference]);
  } else {
    edit('kustomization.yaml', [
      ['name: agent', 'name: shop'],
      ['[name=agent]', '[name=web]'],
    ]);
    const lines = command?.map((word) => `            - ${word}\n`).join('');
    if (lines !== undefined) edits.push(['            - annex\n', lines]);
    if (registry !== undefined) {
      edits.push(
        ['# - name: npm_config_registry', '- name: npm_config_registry'],
        ['#   value: https://npm.example/', `  value: ${registry}`],
      );
    }
  }
  edit('deployment.yaml', edits);
  writeFileSync(
    join(root, 'kustomization.yaml'),
    `namespace: store\nresources: [base]\ncomponents: [${component}]\n${more}`,
  );
}
