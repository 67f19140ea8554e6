/** OpenMetrics text of the state of features. */
import { expect, test } from 'vitest';
import { composeMetrics, type MeasuredStatus } from '../../../src/status/metrics.ts';

const id = '0123456789abcdef0123456789abcdef';
const features: MeasuredStatus[] = [
  {
    feature: 'search.exa',
    where: 'store',
    packages: { 'exa-js': { range: '^1.9.0', version: '1.10.2', where: 'store' } },
    dir: `/opt/data/annex/v1/any/search.exa.${id}.0`,
    bytes: 4096,
  },
  {
    feature: 'a "b" \\ c\nd',
    where: 'denied',
    packages: {},
    refusal: { code: 'ANNEX_DENIED', reason: 'it is', hint: 'ask' },
  },
];

test('each feature has its availability, its place, its packages and its size', () => {
  expect(composeMetrics({ features })).toBe(`# TYPE annex_feature_available gauge
# HELP annex_feature_available Whether a feature can be imported now.
annex_feature_available{feature="search.exa"} 1
annex_feature_available{feature="a \\"b\\" \\\\ c\\nd"} 0
# TYPE annex_feature_info gauge
# HELP annex_feature_info Where a feature is, its entry, and the code of the reason if it is unavailable.
annex_feature_info{feature="search.exa",where="store",code="",abi="any",entry="${id}"} 1
annex_feature_info{feature="a \\"b\\" \\\\ c\\nd",where="denied",code="ANNEX_DENIED",abi="",entry=""} 1
# TYPE annex_package_info gauge
# HELP annex_package_info The version of each package of a feature, and where it is.
annex_package_info{feature="search.exa",package="exa-js",version="1.10.2",where="store"} 1
# TYPE annex_entry_bytes gauge
# UNIT annex_entry_bytes bytes
# HELP annex_entry_bytes Size of the files of an entry.
annex_entry_bytes{feature="search.exa"} 4096
# EOF
`);
});

test('counters of installs have the suffix of OpenMetrics', () => {
  const exa = { installed: 1, waited: 2, failed: { ANNEX_OFFLINE: 3 }, seconds: 4.5 };
  expect(composeMetrics({ features: [] }, { exa })).toBe(`# TYPE annex_installs counter
# HELP annex_installs Features that this process has installed.
annex_installs_total{feature="exa"} 1
# TYPE annex_install_waits counter
# HELP annex_install_waits Features that another process installed, while this one waited.
annex_install_waits_total{feature="exa"} 2
# TYPE annex_install_failures counter
# HELP annex_install_failures Installs that failed.
annex_install_failures_total{feature="exa",code="ANNEX_OFFLINE"} 3
# TYPE annex_install_seconds counter
# UNIT annex_install_seconds seconds
# HELP annex_install_seconds Time that installs and waits for them took.
annex_install_seconds_total{feature="exa"} 4.5
# EOF
`);
});
