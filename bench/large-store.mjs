/** Fills a store with thousands of small entries, for bench:store and bench:overhead. */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Numbers of entries and features of the large store. */
const ENTRIES = 10_000;
const SLUGS = 200;

/** The declarations of the features that the entries belong to. None is locked. */
export const MORE_FEATURES = Object.fromEntries(
  Array.from({ length: SLUGS }, (_, index) => [`feature-${index}`, '^1.0.0']),
);

/**
 * Copies a store and adds the entries to the copy. A second store has only one of the entries.
 * @param {{ store: string, large: string, few: string }} stores `store` has an entry of openai, the model of the others
 */
export function fillStores({ store, large, few }) {
  cpSync(store, large, { recursive: true });
  const any = join(large, 'v1', 'any');
  const [model] = readdirSync(any).filter((name) => name.startsWith('openai.'));
  for (let index = 0; index < ENTRIES; index++) {
    const slug = `feature-${index % SLUGS}`;
    const id = createHash('sha256').update(String(index)).digest('hex').slice(0, 32);
    const dir = join(any, `${slug}.${id}.0`);
    mkdirSync(join(dir, 'node_modules', slug), { recursive: true });
    for (const [name, text] of listFiles(join(any, model), slug, index))
      writeFileSync(join(dir, name), text);
  }
  mkdirSync(join(few, 'v1', 'any'), { recursive: true });
  const [own] = readdirSync(any).filter((name) => name.startsWith('feature-0.'));
  cpSync(join(any, own), join(few, 'v1', 'any', own), { recursive: true });
}

/** The files of a small entry. */
function listFiles(model, slug, index) {
  const manifest = JSON.parse(readFileSync(join(model, 'annex-entry.json'), 'utf8'));
  const path = `node_modules/${slug}`;
  // Listings are sorted by path.
  const packed = { 'index.js': '', 'package.json': `{"name":"${slug}","version":"1.0.${index}"}` };
  const digest = (text) => createHash('sha256').update(text).digest('hex');
  const listing = Object.entries(packed)
    .map(([name, text]) => `${digest(text)} ${Buffer.byteLength(text)}\t${name}\n`)
    .join('');
  const closure = [{ path, name: slug, version: `1.0.${index}` }];
  const entry = {
    ...manifest,
    feature: slug,
    specs: { [slug]: '^1.0.0' },
    closure,
    private: [slug],
  };
  return [
    ...Object.entries(packed).map(([name, text]) => [`${path}/${name}`, text]),
    ['package.json', '{"private":true}'],
    ['annex-entry.json', JSON.stringify(entry)],
    ['annex-files.txt', `annex-files 2\n${path}\n${listing}`],
  ];
}
