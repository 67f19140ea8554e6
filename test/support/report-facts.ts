/** Facts of reports: as many features as asked for, in every state, with long and hostile names. */
import type { Report, ReportedFeature, ReportedPackage } from '../../src/report/model.ts';
import type { Refusal, Whereabouts } from '../../src/types.ts';

const NAMES = [
  'exa-js',
  '@mendable/firecrawl-js',
  'openai',
  '@larksuiteoapi/node-sdk',
  'search.tavily',
  'pg',
  '@slack/web-api',
  'better-sqlite3',
  '@an-organisation-with-a-long-name/a-package-with-a-name-that-is-longer-than-a-column',
];
const SHIPPED = ['zod', 'axios', 'follow-redirects', 'form-data', 'ms', 'debug', 'ws', 'undici'];
const WHERES: Whereabouts[] = [
  ...(['store', 'store', 'layer', 'missing', 'store', 'core', 'denied', 'failed'] as const),
  ...(['core outside range', 'store', 'core (not shipped)'] as const),
];
const LICENSES = ['MIT', 'ISC', 'Apache-2.0', '(MIT OR CC0-1.0)', undefined];

/** Texts that would be markup, links, mentions or invisible, if they were not escaped. */
export const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '"><script>alert(1)</script>',
  "' onmouseover='alert(1)",
  '</style><svg onload=alert(1)>',
  'safe\u202Egpj.exe\u200B\u0000\u001B[31m\n# heading',
  '`x` **bold** [link](https://evil.example) | cell \\| @everyone #1 ![i](https://evil.example/i)',
] as const;

const refusal: Refusal = {
  code: 'ANNEX_DENIED',
  reason: 'axios 1.7.2 is blocked by /etc/annex.json (axios@<1.7.4): CVE-2024-39338',
  hint: 'lock another version: npx annex lock openai',
};

const isAvailable = (where: Whereabouts): boolean => where === 'store' || where === 'layer';

/** A name is repeated with a number. */
const nameOf = (index: number): string => {
  const round = Math.floor(index / NAMES.length);
  return `${NAMES[index % NAMES.length]}${round === 0 ? '' : `-${round + 1}`}`;
};

function makeClosure(index: number): ReportedPackage[] {
  return Array.from({ length: 1 + ((index * 7) % 19) }, (_, at) => ({
    name: at === 0 ? nameOf(index) : `dependency-${at}`,
    version: `${at}.2.${index}`,
    path: `node_modules/${at === 0 ? nameOf(index) : `dependency-${at}`}`,
    ...(LICENSES[at % 5] !== undefined && { license: LICENSES[at % 5] as string }),
    tarball: 12_000 * (at + 1),
    ...(index % 2 === 0 && { isSigned: true as const }),
    ...(at === 1 && {
      provenance: { repository: 'https://github.com/acme/one', commit: '0a'.repeat(20) },
    }),
    ...(at === 2 && { formerly: { version: '1.0.0', repository: 'https://github.com/acme/two' } }),
    ...(at === 3 && { script: 'not allowed' as const }),
    ...(at === 2 && { beside: '0.9.0' }),
    ...(at === 4 && { blocked: 'dependency-4@<5' }),
  }));
}

function makeFeature(index: number): ReportedFeature {
  const feature = nameOf(index);
  const where = WHERES[index % WHERES.length] as Whereabouts;
  const isInCore = where.startsWith('core');
  const version = isInCore || isAvailable(where) ? { version: `1.${index}.0` } : {};
  const locked = index % 4 === 3 ? {} : { locked: `1.${index}.0` };
  const isUnavailable = ['denied', 'failed', 'core outside range'].includes(where);
  return {
    feature,
    where,
    state: isUnavailable ? 'failed' : where === 'missing' ? 'missing' : 'available',
    packages: { [feature]: { range: `^1.${index} || ^2`, where, ...version, ...locked } },
    ...(index % 4 !== 3 && {
      pin: {
        digest: '1a2b3c4d5e6f'.repeat(6).slice(0, 64),
        platforms: ['linux-x64-glibc', 'linux-arm64-glibc'],
      },
      lock: { date: '2026-11-28T10:00:00Z' },
    }),
    closure: isInCore ? [] : makeClosure(index),
    shared: (isInCore ? [feature] : SHIPPED.filter((_, at) => (index * 5 + at * 3) % 7 < 2)).map(
      (name) => ({ name, ranges: ['^1.5.0', '>=1 <3'] }),
    ),
    damaged: where === 'failed' ? ['/opt/data/annex/v1/any/x: index.js was changed'] : [],
    scripts: index % 3 === 0 ? ['dependency-3'] : [],
    ...(isAvailable(where) && {
      bytes: 230_000 * (index + 1),
      published: '2026-11-29T08:00:00.000Z',
      verified: index % 4 === 3 ? ('listing' as const) : ('lock' as const),
      dir: `/opt/data/annex/v1/any/${feature.replace(/\W+/g, '-')}.0123456789abcdef0123456789abcdef.0`,
    }),
    ...(isUnavailable && { refusal }),
  };
}

/** Composes facts. */
export function makeReport(count: number): Report {
  return withShared(Array.from({ length: count }, (_, index) => makeFeature(index)));
}

/** The facts of an application whose every text is hostile. */
export function makeHostileReport(): Report {
  const features = HOSTILE.map((text, index): ReportedFeature => {
    const one = makeFeature(0);
    const where = index % 2 === 0 ? 'store' : 'denied';
    return {
      ...one,
      feature: text,
      where,
      packages: { [text]: { range: text, version: text, locked: text, where } },
      lock: { date: text },
      pin: { digest: text, platforms: [text] },
      closure: [{ name: text, version: text, path: text, license: text, blocked: text }],
      shared: [{ name: text, ranges: [text] }],
      scripts: [text],
      published: text,
      damaged: [text],
      dir: `/opt/${text}`,
      ...(where === 'denied' && {
        refusal: { code: 'ANNEX_DENIED', reason: text, hint: text },
      }),
    };
  });
  const [name] = HOSTILE;
  return {
    ...withShared(features),
    core: { name, version: name },
    gate: name,
    blocked: HOSTILE.map((text) => ({
      name: text,
      range: '*',
      spec: text,
      by: text,
      reason: text,
    })),
  };
}

function withShared(features: ReportedFeature[]): Report {
  const names = [
    ...new Set(features.flatMap(({ shared }) => shared.map(({ name }) => name))),
  ].sort();
  return {
    core: { name: '@acme/gateway', version: '4.2.0' },
    made: { annex: '0.1.0', node: 'v24.21.0', platform: 'linux-x64-glibc' },
    shared: names.map((name) => ({
      name,
      version: '1.6.0',
      features: features.flatMap(({ feature, shared }) =>
        shared.some((one) => one.name === name) ? feature : [],
      ),
    })),
    features,
    blocked: [
      {
        name: 'axios',
        range: '<1.7.4',
        spec: 'axios@<1.7.4',
        by: '/etc/annex.json',
        reason: 'CVE-2024-39338',
      },
    ],
  };
}
