/** All programs around resolution, by topic. */
import { apiPrograms } from './api.ts';
import { caughtPrograms } from './caught.ts';
import { changePrograms } from './changes.ts';
import { declaredPrograms } from './declared.ts';
import { errorPrograms } from './errors.ts';
import { exportsPrograms } from './exports.ts';
import { targetPrograms } from './exports-targets.ts';
import { formatPrograms } from './formats.ts';
import { graphPrograms } from './graphs.ts';
import { importsPrograms } from './imports.ts';
import { namePrograms } from './names.ts';
import { packagePrograms } from './packages.ts';
import { placePrograms } from './places.ts';
import { requireEsmPrograms } from './require-esm.ts';
import { startPrograms } from './starts.ts';
import { urlPrograms } from './urls.ts';

export const topics = {
  exports: [...exportsPrograms, ...targetPrograms],
  imports: importsPrograms,
  packages: [...packagePrograms, ...namePrograms],
  formats: formatPrograms,
  urls: urlPrograms,
  graphs: [...graphPrograms, ...requireEsmPrograms],
  errors: [...errorPrograms, ...caughtPrograms],
  places: placePrograms,
  functions: [...apiPrograms, ...changePrograms],
  starts: startPrograms,
  declared: declaredPrograms,
};
