/** Paths in a store, as in the published format. */
import { join } from 'node:path';

export const stagingRoot = (store: string): string => join(store, 'v1/staging');
export const retiredRoot = (store: string): string => join(store, 'v1/retired');
export const failureRoot = (store: string): string => join(store, 'v1/failures');
/** By the slug of a feature, or the name of a host. */
export const failurePath = (store: string, name: string): string =>
  join(failureRoot(store), `${name}.json`);
