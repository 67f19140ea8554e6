/** Links between the documents. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { listAnchors, listDocuments, listLinks, readDocument } from '../../support/documents.ts';
import { repositoryRoot } from '../../support/package.ts';

const examples = readdirSync(join(repositoryRoot, 'examples')).map((name) => `examples/${name}`);
const documents = ['.', 'docs', 'docs/decisions', 'bench', ...examples].flatMap(listDocuments);

test.each(documents)('every relative link and anchor in %s resolves', (document) => {
  const broken = listLinks(readDocument(document)).filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? document : normalize(join(dirname(document), path));
    if (!existsSync(join(repositoryRoot, target))) return true;
    return anchor !== undefined && !listAnchors(readDocument(target)).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test('README links to every page of docs', () => {
  const links = listLinks(readDocument('README.md')).map((link) => link.split('#')[0]);
  expect(links).toEqual(expect.arrayContaining(listDocuments('docs')));
});

test('README has at most 150 lines', () => {
  expect(readDocument('README.md').split('\n').length).toBeLessThanOrEqual(151);
});
