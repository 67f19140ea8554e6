/** Writes the status of annex in the text format of Prometheus. */

const HEAD = `# HELP annex_feature_available Whether a feature can be imported now.
# TYPE annex_feature_available gauge
`;

const AVAILABLE = ['core', 'core (not shipped)', 'store', 'layer'];

/**
 * @param {import('annex').Status} status
 * @example toPrometheus(status()) // 'annex_feature_available{feature="search.exa",where="store",code=""} 1'
 */
export const toPrometheus = ({ features }) => HEAD + features.map(describe).join('');

function describe({ feature, where, refusal }) {
  const labels = { feature, where, code: refusal?.code ?? '' };
  const text = Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(',');
  return `annex_feature_available{${text}} ${AVAILABLE.includes(where) ? 1 : 0}\n`;
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details */
const escapeLabel = (value) =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
