/** Claims of the example's files and its page about the same fact. */
import { readAfter, readEnv, readSteps, type Step } from './dockerfile.ts';
import { type Files, PAGE, readText } from './files.ts';
import { readCompose, readPod, type Value } from './manifest-facts.ts';
import { readModule } from './module.ts';
import { readBlocks } from './page.ts';
import { listRoutes } from './paths.ts';
import { readAssignments, readWords } from './shell-words.ts';

/** Claims by their source; undefined if a source makes none although it must. */
export type Claims = Record<string, Value | undefined>;

const LOADER = /^--import=(.*)\/node_modules\/annex\/loader\.mjs$/;

const find = (steps: readonly Step[], keyword: string): string | undefined =>
  steps.findLast((step) => step.keyword === keyword)?.words[0];

/** Words after a word in the RUN lines. */
const findAfter = (steps: readonly Step[], word: string): string | undefined =>
  steps.flatMap(({ words }) => readAfter(words, word)).at(-1);

/** Volumes of all stores in the output of annex doctor. */
function listVolumes(page: string): string | undefined {
  const output = readBlocks(page).find(({ text }) => text.startsWith('store\n'))?.text;
  const paths = [...(output?.matchAll(/\/[^\s)]+/g) ?? [])];
  return [...new Set(paths.map(([path]) => path.replace(/\/annex$/, '')))].join(' ') || undefined;
}

/** Lists the claims by topic; those of a topic must agree. */
export function listTopics(files: Files): Record<string, Claims> {
  const steps = readSteps(readText(files, 'Dockerfile'));
  const [advice = [], overlay = []] = readBlocks(readText(files, PAGE))
    .filter(({ language }) => language === 'dockerfile')
    .map(({ text }) => readSteps(text));
  const common = readWords(readText(files, 'rootfs/usr/local/lib/agent/common.sh'));
  const hook = readWords(readText(files, 'rootfs/etc/boot.d/01-volume'));
  const asApp = readWords(readText(files, 'rootfs/usr/local/lib/agent/as-app'));
  const assigned = (words: typeof common, name: string) => readAssignments(words, name)[0];
  const byDefault = (name: string) => /:-(\w+)\}+$/.exec(assigned(common, name) ?? '')?.[1];
  const portOf = (name: string): Value | undefined => {
    const { calls } = readModule(readText(files, `src/${name}.mjs`));
    return String(calls.find((call) => call.name === 'readPort')?.literals[1]);
  };
  const compose = readCompose(readText(files, 'docker-compose.yml'));
  const pod = readPod(readText(files, 'kubernetes.yaml'));
  const { constants } = readModule(readText(files, 'src/workers.mjs'));
  const { constants: backends } = readModule(readText(files, 'src/backends.mjs'));
  const pages = [...files].flatMap(([path, text]) => (path.endsWith('.md') ? text : [])).join('\n');
  const manifest = JSON.parse(readText(files, 'package.json')) as Manifest;
  const health = listRoutes(files).filter((path) => path === pod.liveness);
  return {
    'the application': {
      'ENV ANNEX_CORE': readEnv(steps, 'ANNEX_CORE'),
      'ENV NODE_OPTIONS': LOADER.exec(readEnv(steps, 'NODE_OPTIONS') ?? '')?.[1],
      WORKDIR: find(steps, 'WORKDIR'),
      HEALTHCHECK: steps
        .find(({ keyword }) => keyword === 'HEALTHCHECK')
        ?.words[1]?.replace(/\/bin\/agent\.mjs$/, ''),
      'the page, ENV ANNEX_CORE': readEnv(advice, 'ANNEX_CORE'),
      'the page, ENV NODE_OPTIONS': LOADER.exec(readEnv(advice, 'NODE_OPTIONS') ?? '')?.[1],
      'the page, WORKDIR': find(advice, 'WORKDIR'),
    },
    'the volume': {
      VOLUME: find(steps, 'VOLUME'),
      'install -d': findAfter(steps, '2775'),
      '01-volume': assigned(hook, 'volume'),
      'docker-compose.yml': compose.mount,
      ...pod.mounts,
      'the page, VOLUME': find(advice, 'VOLUME'),
      'the page, install -d': findAfter(advice, '2775'),
      'the page, annex doctor': listVolumes(readText(files, PAGE)),
    },
    'the home': {
      useradd: findAfter(steps, '--home-dir'),
      'install -d': /install -d (\/home\S+)/.exec(readText(files, 'Dockerfile'))?.[1],
      HOME: assigned(asApp, 'HOME'),
    },
    'the store': {
      'ENV ANNEX_STORE': readEnv(steps, 'ANNEX_STORE')?.replace(/\$\{BAKE:\+.*\}$/, ''),
      '01-volume': assigned(hook, 'store'),
      'the page, ENV ANNEX_STORE': readEnv(advice, 'ANNEX_STORE'),
    },
    'the seal': {
      'ENV ANNEX_SEALED': readEnv(steps, 'ANNEX_SEALED'),
      'the page': readEnv(advice, 'ANNEX_SEALED'),
    },
    'what s6 supervises': {
      'common.sh': assigned(common, 'services'),
      'workers.mjs': constants.get('SCAN')?.[0] as string,
    },
    'the user': {
      useradd: findAfter(steps, '--uid'),
      groupadd: steps.flatMap(({ words }) => readAfter(words, '--gid'))[0],
      'common.sh, uid': assigned(common, 'uid'),
      'common.sh, gid': assigned(common, 'gid'),
      'common.sh, APP_UID': byDefault('asked_uid'),
      'common.sh, APP_GID': byDefault('asked_gid'),
      'docker-compose.yml, user': compose.user,
      ...pod.users,
    },
    'the port': {
      EXPOSE: find(steps, 'EXPOSE'),
      'gateway.mjs': portOf('gateway'),
      'health.mjs': portOf('health'),
      'docker-compose.yml': compose.port,
      'kubernetes.yaml': pod.port,
    },
    'the name of the port': pod.portNames,
    'the way to ask for health': {
      'gateway.mjs': health[0],
      'kubernetes.yaml, liveness': pod.liveness,
      'kubernetes.yaml, readiness': pod.readiness,
    },
    'the entry point': {
      Dockerfile: find(steps, 'ENTRYPOINT'),
      'the page, s6-overlay': find(overlay, 'ENTRYPOINT'),
    },
    'the image': {
      'docker-compose.yml': compose.image,
      ...pod.images,
      ...Object.fromEntries(
        [...pages.matchAll(/\bagent:[\d.]+\b/g)].map(({ 0: tag, index }) => [
          `the page, at ${index}`,
          tag,
        ]),
      ),
    },
    'the features': {
      'package.json': sort(Object.keys(manifest.annex.features)),
      'backends.mjs': sort(backends.get('connectors') ?? []),
    },
  };
}

const sort = (names: readonly unknown[]): string =>
  names
    .map(String)
    .toSorted((one, other) => one.localeCompare(other))
    .join(' ');

interface Manifest {
  annex: { features: object };
}

/** Lists a line for every topic whose claims differ. */
export function listDisagreements(files: Files): string[] {
  return Object.entries(listTopics(files)).flatMap(([topic, claims]) => {
    const values = new Set(Object.values(claims).map(String));
    if (values.size === 1 && !values.has('undefined')) return [];
    const said = Object.entries(claims).map(([where, value]) => `${where} says ${value}`);
    return [`${topic}: ${said.join(', ')}`];
  });
}
