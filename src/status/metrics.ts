/** Writes the state of features as OpenMetrics text: what Prometheus scrapes. */
import { basename, dirname } from 'node:path';
import { parseEntryName } from '../base/store-layout.ts';
import type { FeatureStatus } from '../types.ts';
import { isUsable } from './status.ts';

/** A feature of `status()`; `annex list` adds the size of its entry. */
export type MeasuredStatus = FeatureStatus & { bytes?: number };

/** Installs of one feature that a process has asked for. */
export interface InstallCounts {
  installed: number;
  /** Another process installed it, and this one waited. */
  waited: number;
  /** Failures by code: `{ ANNEX_OFFLINE: 2 }`. */
  failed: Record<string, number>;
  /** How long all of them took. */
  seconds: number;
}

type Sample = [labels: Record<string, string>, value: number];

/** A metric family. Facts are gauges, not of the type `info`, which the older text format of Prometheus lacks. */
interface Family {
  name: string;
  type: 'counter' | 'gauge';
  help: string;
  unit?: string;
  samples: Sample[];
}

/** OpenMetrics requires the suffix. */
const SUFFIX = { counter: '_total', gauge: '' };

/**
 * Composes OpenMetrics text, whose type is `application/openmetrics-text; version=1.0.0; charset=utf-8`.
 *
 * @param features of `status()`
 * @param installs by feature; without it the text has no counters
 * @example composeMetrics(status()) // '... annex_feature_available{feature="exa-js"} 1 ... # EOF\n'
 * @see https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export function composeMetrics(
  { features }: { features: readonly MeasuredStatus[] },
  installs?: Readonly<Record<string, InstallCounts>>,
): string {
  const families = [...listStates(features), ...listCounters(Object.entries(installs ?? {}))];
  const lines = families.filter(({ samples }) => samples.length > 0).flatMap(writeFamily);
  return `${[...lines, '# EOF'].join('\n')}\n`;
}

const listStates = (features: readonly MeasuredStatus[]): Family[] => [
  {
    name: 'annex_feature_available',
    type: 'gauge',
    help: 'Whether a feature can be imported now.',
    samples: features.map((one) => [{ feature: one.feature }, isUsable(one) ? 1 : 0]),
  },
  {
    name: 'annex_feature_info',
    type: 'gauge',
    help: 'Where a feature is, its entry, and the code of the reason if it is unavailable.',
    samples: features.map((one) => [describeFeature(one), 1]),
  },
  {
    name: 'annex_package_info',
    type: 'gauge',
    help: 'The version of each package of a feature, and where it is.',
    samples: features.flatMap(({ feature, packages }) =>
      Object.entries(packages).map(
        ([name, { version = '', where }]): Sample => [
          { feature, package: name, version, where },
          1,
        ],
      ),
    ),
  },
  {
    name: 'annex_entry_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Size of the files of an entry.',
    samples: features.flatMap(({ feature, bytes }): Sample[] =>
      bytes === undefined ? [] : [[{ feature }, bytes]],
    ),
  },
];

function describeFeature({ feature, where, dir, refusal }: FeatureStatus): Record<string, string> {
  const entry = dir === undefined ? undefined : parseEntryName(basename(dir));
  return {
    feature,
    where,
    code: refusal?.code ?? '',
    abi: dir === undefined ? '' : basename(dirname(dir)),
    entry: entry?.id ?? '',
  };
}

const listCounters = (installs: [feature: string, counts: InstallCounts][]): Family[] => [
  {
    name: 'annex_installs',
    type: 'counter',
    help: 'Features that this process has installed.',
    samples: installs.map(([feature, { installed }]) => [{ feature }, installed]),
  },
  {
    name: 'annex_install_waits',
    type: 'counter',
    help: 'Features that another process installed, while this one waited.',
    samples: installs.map(([feature, { waited }]) => [{ feature }, waited]),
  },
  {
    name: 'annex_install_failures',
    type: 'counter',
    help: 'Installs that failed.',
    samples: installs.flatMap(([feature, { failed }]) =>
      Object.entries(failed).map(([code, count]): Sample => [{ feature, code }, count]),
    ),
  },
  {
    name: 'annex_install_seconds',
    type: 'counter',
    unit: 'seconds',
    help: 'Time that installs and waits for them took.',
    samples: installs.map(([feature, { seconds }]) => [{ feature }, seconds]),
  },
];

function writeFamily({ name, type, help, unit, samples }: Family): string[] {
  return [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${help}`,
    ...samples.map(([labels, value]) => `${name}${SUFFIX[type]}{${writeLabels(labels)}} ${value}`),
  ];
}

const writeLabels = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(',');

const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
