/** Features as the reader of a declaration makes them. */
import type { Feature } from '../../src/settings/feature.ts';

/** A feature of one package of the same name. */
export const makeFeature = (name: string, range = '^1.0.0'): Feature => ({
  name,
  slug: name,
  packages: { [name]: range },
  scripts: [],
  conflicts: 'fail',
  share: true,
});
