/** The deployment files of the image are valid for Compose and Kubernetes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listBlocks, readDocument } from '../../../../test/support/documents.ts';
import { repositoryRoot } from '../../../../test/support/package.ts';
import { checkCompose, checkKubernetes, parseYaml } from '../support/manifests.ts';

const read = (name: string): string =>
  readFileSync(join(repositoryRoot, 'examples', 'immutable-image', name), 'utf8');
const compose = read('docker-compose.yml');
const kubernetes = read('kubernetes.yaml');

/** Replaces a part of the text, which must exist. */
function change(text: string, from: string, to: string): string {
  expect(text).toContain(from);
  return text.replace(from, to);
}

test('docker-compose.yml is a valid Compose file', () => {
  expect(parseYaml(compose).map(checkCompose)).toEqual([[]]);
});

test.each([
  ['read_only:', 'readonly:', /gateway must NOT have additional properties/],
  ['restart: unless-stopped', 'restart: [always]', /restart must be string/],
  ['stop_grace_period: 10s', 'stop_grace_period: 10', /stop_grace_period must be string/],
  ['volumes:\n  data:', 'volume:\n  data:', /must NOT have additional properties/],
])('a Compose file with %j as %j is refused', (from, to, why) => {
  expect(
    parseYaml(change(compose, from, to))
      .flatMap(checkCompose)
      .join('\n'),
  ).toMatch(why);
});

test('kubernetes.yaml has a valid claim, deployment and service', () => {
  const objects = parseYaml(kubernetes);
  expect(checkKubernetes(objects)).toEqual([]);
  const kinds = (objects as { kind: string }[]).map(({ kind }) => kind);
  expect(kinds).toEqual(['PersistentVolumeClaim', 'Deployment', 'Service']);
});

test.each([
  ['runAsNonRoot: true', 'runAsNonroot: true', /securityContext .*"runAsNonroot"/],
  ['- name: install\n', '- title: install\n', /initContainers\/0 .*"title"/],
  ['name: http\n      port: 80\n', 'name: http\n', /ports\/0 must have required property 'port'/],
  ['replicas: 1', 'replicas: "1"', /replicas must be integer/],
  ['apps/v1', 'apps/v2', /no schema of apps\/v2 Deployment/],
  ['kind: Service', 'kind: Servce', /no schema of v1 Servce/],
])('a manifest with %j as %j is refused for each version', (from, to, why) => {
  const mistakes = checkKubernetes(parseYaml(change(kubernetes, from, to))).join('\n');
  for (const version of ['1.33', '1.36']) {
    expect(mistakes).toMatch(new RegExp(`^${version}: .*${why.source}`, 'm'));
  }
});

test('rejects a duplicate key', () => {
  expect(() => parseYaml(`${compose}volumes: {}\n`)).toThrow(/unique/);
});

test('the pods of the job and of the init container in docs/fleets.md are valid', () => {
  const blocks = listBlocks(readDocument('docs/fleets.md')).filter(
    ({ section, language }) => section === 'Jobs and init containers' && language === 'yaml',
  );
  // biome-ignore lint/suspicious/noExplicitAny: the schema checks their shape
  const [job, part] = blocks.flatMap(({ code }) => parseYaml(code)) as any[];
  const { containers, ...rest } = job.spec.template.spec;
  const deployments = [
    { containers, ...rest },
    { containers, ...part },
  ].map((spec) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    spec: { selector: {}, template: { spec } },
  }));
  expect(checkKubernetes(deployments)).toEqual([]);
  expect(containers[0].command).toEqual(['annex', 'install', '--all', '--within', '600']);
  const shell = ['sh', '-c', 'annex install --all --within 60 || true'];
  expect(part.initContainers[0].command).toEqual(shell);
});
