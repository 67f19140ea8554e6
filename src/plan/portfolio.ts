/** Several projects as one: an npm workspace for every feature, for whatever reads a package-lock. */
import { nameProject, type Project } from './project.ts';

/** One feature's project, and where it stands in the whole. */
export interface Part {
  slug: string;
  project: Project;
}

/**
 * Composes the files of one project whose workspaces are the features; nothing of it is ever
 * installed.
 *
 * @param whole name and version of the core
 * @returns file contents by path
 */
export function composePortfolio(
  whole: { name: string; version: string },
  parts: Part[],
): Record<string, string> {
  const root = { ...whole, private: true, workspaces: ['features/*'] };
  const files: Record<string, string> = { 'package.json': JSON.stringify(root) };
  const packages: Record<string, object> = { '': root };
  for (const { slug, project } of parts) {
    const named = nameProject(slug);
    const dir = `features/${named.name}`;
    files[`${dir}/package.json`] = JSON.stringify({ ...project.manifest, ...named });
    for (const [path, locked] of Object.entries(project.lock.packages)) {
      packages[path === '' ? dir : `${dir}/${path}`] =
        path === '' ? { ...locked, ...named } : locked;
    }
    packages[`node_modules/${named.name}`] = { resolved: dir, link: true };
  }
  const lock = { ...whole, lockfileVersion: 3, requires: true, packages };
  return { ...files, 'package-lock.json': JSON.stringify(lock) };
}
