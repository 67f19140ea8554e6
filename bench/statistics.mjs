/** Statistics of samples: medians, ranges, and ratios paired by round. Pure. */

/** @typedef {{ id: string, name: string, round: number, ms: number, peak: number }} Sample `peak` is NaN if unknown */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const geometricMean = (values) =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** @returns {{ median: number, min: number, max: number }} */
export const summarize = (values) => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

/**
 * Time and memory of each method and feature.
 * @param {Sample[]} samples
 * @returns {Map<string, Map<string, { median: number, min: number, max: number, peak: number }>>}
 */
export function summarizeSamples(samples) {
  const summary = new Map();
  for (const { id, name } of samples) {
    const features = summary.get(id) ?? new Map();
    if (features.has(name)) continue;
    const own = samples.filter((sample) => sample.id === id && sample.name === name);
    const peak = Math.max(...own.map((sample) => sample.peak).filter((value) => value > 0));
    features.set(name, { ...summarize(own.map(({ ms }) => ms)), peak });
    summary.set(id, features);
  }
  return summary;
}

/**
 * Ratio of the times of two methods: for each round the geometric mean over the features that both
 * ran for, then median and range over the rounds.
 * @param {Sample[]} samples
 * @returns {{ median: number, min: number, max: number } | undefined} undefined without such samples
 */
export function compareMethods(samples, of, over) {
  const rounds = new Map();
  const others = new Map(
    samples.filter(({ id }) => id === over).map((sample) => [key(sample), sample.ms]),
  );
  for (const sample of samples.filter(({ id }) => id === of)) {
    const other = others.get(key(sample));
    if (other === undefined) continue;
    rounds.set(sample.round, [...(rounds.get(sample.round) ?? []), sample.ms / other]);
  }
  if (rounds.size === 0) return undefined;
  return summarize([...rounds.values()].map(geometricMean));
}

const key = ({ name, round }) => `${round} ${name}`;

/**
 * The median, and the interval that has the median of all possible samples in 95 of 100 cases. It depends only on
 * the order of the samples, so an outlier counts as any other.
 * @returns {{ median: number, low: number, high: number }}
 */
export function estimateMedian(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const reach = 0.98 * Math.sqrt(sorted.length);
  const low = Math.max(0, Math.floor(sorted.length / 2 - reach));
  const high = Math.min(sorted.length - 1, Math.ceil(sorted.length / 2 + reach));
  return { median: median(sorted), low: sorted[low], high: sorted[high] };
}
