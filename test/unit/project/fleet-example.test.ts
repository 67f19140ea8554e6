/**
 * What kustomize makes of an application and each component of examples/fleet. test/fleet/kustomize.test.ts compares the files
 * in test/data/fleet with the output of kubectl.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  checkCompose,
  checkKubernetes,
  parseYaml,
} from '../../../examples/immutable-image/test/support/manifests.ts';
import { components, NO_DIGEST } from '../../support/fleet-example.ts';
import { repositoryRoot } from '../../support/package.ts';

const read = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');

// biome-ignore lint/suspicious/noExplicitAny: the schemas check the shape
const parse = (text: string): any[] => parseYaml(text);

// biome-ignore lint/suspicious/noExplicitAny: as above
const findDeployment = (objects: any[]): any => objects.find(({ kind }) => kind === 'Deployment');

const rendered = Object.fromEntries(
  components.map((component) => [component, read(`test/data/fleet/${component}.yaml`)]),
) as Record<(typeof components)[number], string>;

const layer = findDeployment(parse(rendered.layer)).spec.template.spec;
const volume = findDeployment(parse(rendered.volume)).spec.template.spec;
const base = parse(read('examples/fleet/base/deployment.yaml'));
const compose = read('examples/fleet/compose.yaml');

test.each(components)(
  'with %s, all objects are valid for Kubernetes 1.33 and 1.36',
  (component) => {
    expect(checkKubernetes(parse(rendered[component]))).toEqual([]);
  },
);

test.each([
  ['layer', 'reference: ', 'referense: ', /"referense"/],
  ['layer', 'pullPolicy: IfNotPresent', 'pullPolicy: 1', /image\/pullPolicy must be string/],
  ['layer', '  - image:\n          pull', '  - img:\n          pull', /volumes\/0 .*"img"/],
  ['volume', 'claimName: ', 'claim: ', /"claim"/],
  ['volume', '- --within\n        - "300"', '- --within\n        - 300', /must be string/],
  ['volume', 'storage: 1Gi', 'storage: [1Gi]', /storage must be string/],
] as const)('with %s, %j as %j is refused', (component, from, to, why) => {
  expect(rendered[component]).toContain(from);
  const mistakes = checkKubernetes(parse(rendered[component].replace(from, to))).join('\n');
  expect(mistakes).toMatch(why);
});

/** Makes a list an object, by the names of its items. */
const byName = (list: { name: string }[]): object =>
  Object.fromEntries(list.map((item) => [item.name, item]));

test.each(components)('%s keeps all of the application but its store', (component) => {
  const objects = parse(rendered[component]);
  const [service, deployment] = parse(read('test/data/fleet/base/deployment.yaml'));
  expect(objects).toContainEqual(expect.objectContaining({ kind: 'Service', spec: service.spec }));
  const { template, ...spec } = findDeployment(objects).spec;
  const { template: before, ...specBefore } = deployment.spec;
  expect(spec).toEqual(specBefore);
  expect(template.metadata).toEqual(before.metadata);
  const { containers, initContainers, volumes, ...pod } = before.spec;
  expect(template.spec).toMatchObject(pod);
  expect(byName(template.spec.volumes)).toMatchObject(byName(volumes));
  expect(byName(template.spec.initContainers)).toMatchObject(byName(initContainers));
  const now = byName(template.spec.containers) as Record<string, (typeof containers)[0]>;
  expect(new Set(Object.keys(now))).toEqual(new Set(['clock', 'web']));
  for (const { name, env = [], volumeMounts = [], ...container } of containers) {
    expect(now[name]).toMatchObject(container);
    const kept = env.filter((variable: { name: string }) => variable.name !== 'ANNEX_STORE');
    expect(now[name].env ?? []).toEqual(expect.arrayContaining(kept));
    expect(now[name].volumeMounts ?? []).toEqual(expect.arrayContaining(volumeMounts));
  }
});

const findWeb = (pod: typeof layer) =>
  pod.containers.find(({ name }: { name: string }) => name === 'web');

/** The value of a variable of a container. */
const findValue = (container: { env: { name: string; value: string }[] }, name: string) =>
  container.env.find((variable) => variable.name === name)?.value;

test('layer mounts an image by its digest, read-only, as the one layer, and allows no installs', () => {
  const web = findWeb(layer);
  expect(layer.volumes).toContainEqual({
    name: 'annex',
    image: {
      reference: `registry.example.com/agent-annex@${NO_DIGEST}`,
      pullPolicy: 'IfNotPresent',
    },
  });
  const mount = { name: 'annex', mountPath: '/opt/annex', readOnly: true };
  expect(web.volumeMounts).toContainEqual(mount);
  expect(findValue(web, 'ANNEX_STORE')).toBe('/opt/data/annex:/opt/annex');
  expect(findValue(web, 'ANNEX_ALLOW_INSTALLS')).toBe('0');
});

test('volume installs with the image of the application, first, into the store that it reads', () => {
  const [install, migrate] = volume.initContainers;
  const web = findWeb(volume);
  expect(migrate.name).toBe('migrate');
  expect(install).toMatchObject({
    name: 'annex-install',
    image: 'shop:2.1.0',
    command: ['annex', 'install', '--all', '--within', '300'],
    securityContext: web.securityContext,
    volumeMounts: [
      { name: 'annex', mountPath: '/opt/data' },
      { name: 'annex-tmp', mountPath: '/tmp' },
    ],
  });
  expect(findValue(install, 'ANNEX_STORE')).toBe('/opt/data/annex');
  expect(findValue(web, 'ANNEX_STORE')).toBe('/opt/data/annex');
  expect(findValue(web, 'ANNEX_ALLOW_INSTALLS')).toBe('0');
  const mount = { name: 'annex', mountPath: '/opt/data', readOnly: true };
  expect(web.volumeMounts).toContainEqual(mount);
  expect(volume.volumes).toContainEqual({
    name: 'annex',
    persistentVolumeClaim: { claimName: 'annex' },
  });
});

test('base is valid, and runs as the Deployment of the example image', () => {
  expect(checkKubernetes(base)).toEqual([]);
  const pod = findDeployment(base).spec.template.spec;
  const image = findDeployment(parse(read('examples/immutable-image/kubernetes.yaml'))).spec
    .template.spec;
  const { fsGroup, fsGroupChangePolicy, ...security } = image.securityContext;
  expect(pod.securityContext).toEqual(security);
  expect(pod.automountServiceAccountToken).toBe(false);
  const [agent] = pod.containers;
  const [gateway] = image.containers;
  for (const key of ['image', 'ports', 'livenessProbe', 'readinessProbe', 'securityContext']) {
    expect(agent[key]).toEqual(gateway[key]);
  }
});

test('compose.yaml is a valid Compose file that mounts an image by its digest', () => {
  const files = parse(compose);
  expect(files.map(checkCompose)).toEqual([[]]);
  expect(files[0].services.agent).toMatchObject({
    user: '10000:10000',
    read_only: true,
    cap_drop: ['ALL'],
    environment: { ANNEX_STORE: '/opt/data/annex:/opt/annex', ANNEX_ALLOW_INSTALLS: '0' },
    volumes: [
      {
        type: 'image',
        source: `registry.example.com/agent-annex@${NO_DIGEST}`,
        target: '/opt/annex',
      },
    ],
  });
});

test.each([
  ['type: image', 'type: images', /volumes\/0\/type must be equal to one of the allowed values/],
  ['target: ', 'destination: ', /volumes\/0 must NOT have additional properties/],
])('a Compose file with %j as %j is refused', (from, to, why) => {
  expect(compose).toContain(from);
  const mistakes = parse(compose.replace(from, to)).flatMap(checkCompose).join('\n');
  expect(mistakes).toMatch(why);
});
