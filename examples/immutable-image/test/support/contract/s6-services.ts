/** Checks the page's variant for s6-overlay against the rules of s6-overlay and s6-rc. */
import { readEnv, readSteps } from './dockerfile.ts';
import { readBlocks, readGivenFiles, readQuotes } from './page.ts';

/** Directory of service definitions of s6-rc. */
const SERVICES = '/etc/s6-overlay/s6-rc.d/';
/** Directory of the names of enabled services: https://github.com/just-containers/s6-overlay#writing-a-service-script */
const STARTED = '/etc/s6-overlay/user-bundles.d/user/contents.d/';

/** Files and settings on the page. */
export interface Variant {
  given: ReturnType<typeof readGivenFiles>;
  /** Empty files, by their paths. */
  empty: string[];
  /** S6_BEHAVIOUR_IF_STAGE2_FAILS. */
  behaviour: string | undefined;
  /** Names of the services. */
  services: string[];
}

/** Reads the variant from the page. */
export function readVariant(page: string): Variant {
  const given = readGivenFiles(page);
  const steps = readBlocks(page)
    .filter(({ language }) => language === 'dockerfile')
    .flatMap(({ text }) => readSteps(text));
  const paths = [...given.keys()].filter((path) => path.startsWith(SERVICES));
  return {
    given,
    empty: readQuotes(page).filter((quote) => /^\/etc\/s6-overlay\/[^ ]+$/.test(quote)),
    behaviour: readEnv(steps, 'S6_BEHAVIOUR_IF_STAGE2_FAILS'),
    services: [...new Set(paths.map((path) => path.slice(SERVICES.length).split('/')[0] ?? ''))],
  };
}

/** Lists everything that s6-overlay would reject or ignore. */
export function checkServices({ given, empty, behaviour, services }: Variant): string[] {
  const problems: string[] = [];
  const hasEnvironment = (path: string): boolean =>
    given.get(path)?.block.text.startsWith('#!/command/with-contenv sh\n') === true;
  const hooks = [...given.keys()].filter((path) => path.startsWith('/etc/cont-init.d/'));
  if (hooks.length === 0) problems.push('there is no hook');
  for (const hook of hooks) {
    if (!hasEnvironment(hook)) problems.push(`${hook}: starts with an empty environment`);
  }
  if (behaviour !== '2') problems.push('a failed hook is ignored');
  for (const [path, { block, isExecutable }] of given) {
    if (block.text.startsWith('#!') !== isExecutable) problems.push(`${path} is not executable`);
  }
  for (const name of services) {
    const directory = `${SERVICES}${name}`;
    const report = (problem: string): unknown => problems.push(`${name}: ${problem}`);
    if (given.get(`${directory}/type`)?.block.text !== 'longrun\n') report('its type is invalid');
    if (!given.has(`${directory}/run`)) report('no run file');
    else if (!hasEnvironment(`${directory}/run`)) report('run starts with an empty environment');
    if (!empty.includes(`${directory}/dependencies.d/legacy-cont-init`)) report('does not wait');
    if (!empty.includes(`${STARTED}${name}`)) report('nothing starts it');
  }
  return problems;
}
