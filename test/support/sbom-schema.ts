/** Validators of SBOM documents. */
import { Ajv } from 'ajv';
import { readDocument } from './documents.ts';

const read = (name: string): object => JSON.parse(readDocument(`test/data/${name}`));

/** What is wrong with a CycloneDX 1.5 document, by its own JSON schema. */
export function findCycloneDxErrors(document: unknown): unknown[] {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  for (const name of ['jsf-0.82.SNAPSHOT.schema.json', 'spdx.SNAPSHOT.schema.json']) {
    ajv.addSchema(read(`cyclonedx/${name}`), `http://cyclonedx.org/schema/${name}`);
  }
  const validate = ajv.compile(read('cyclonedx/bom-1.5.SNAPSHOT.schema.json'));
  validate(document);
  return validate.errors ?? [];
}

/** What is wrong with an SPDX 2.3 document, by its own JSON schema. */
export function findSpdxErrors(document: unknown): unknown[] {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(
    read('spdx/spdx-schema.json'),
  );
  validate(document);
  return validate.errors ?? [];
}
