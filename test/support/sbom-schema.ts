/** Validators of SBOM documents. */
import { Ajv } from 'ajv';
import { readDocument } from './documents.ts';

const read = (name: string): object => JSON.parse(readDocument(`test/data/cyclonedx/${name}`));

/** What is wrong with a CycloneDX 1.5 document, by its own JSON schema. */
export function findCycloneDxErrors(document: unknown): unknown[] {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  for (const name of ['jsf-0.82.SNAPSHOT.schema.json', 'spdx.SNAPSHOT.schema.json']) {
    ajv.addSchema(read(name), `http://cyclonedx.org/schema/${name}`);
  }
  const validate = ajv.compile(read('bom-1.5.SNAPSHOT.schema.json'));
  validate(document);
  return validate.errors ?? [];
}

const text = { type: 'string', minLength: 1 };
const id = { type: 'string', pattern: '^SPDXRef-[A-Za-z0-9.-]+$' };

/** The mandatory fields, and the syntax of the fields that npm writes. */
const SPDX = {
  type: 'object',
  required: [
    ...['SPDXID', 'spdxVersion', 'dataLicense', 'name', 'documentNamespace', 'creationInfo'],
    ...['packages', 'relationships'],
  ],
  properties: {
    SPDXID: { const: 'SPDXRef-DOCUMENT' },
    spdxVersion: { const: 'SPDX-2.3' },
    dataLicense: { const: 'CC0-1.0' },
    name: text,
    documentNamespace: { type: 'string', pattern: '^https?://[^#\\s]+$' },
    creationInfo: {
      type: 'object',
      required: ['created', 'creators'],
      properties: {
        created: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' },
        creators: {
          type: 'array',
          minItems: 1,
          items: { pattern: '^(Tool|Person|Organization): ' },
        },
      },
    },
    packages: {
      type: 'array',
      items: {
        type: 'object',
        required: ['SPDXID', 'name', 'downloadLocation'],
        properties: {
          SPDXID: id,
          name: text,
          downloadLocation: text,
          filesAnalyzed: { type: 'boolean' },
          checksums: {
            type: 'array',
            items: {
              required: ['algorithm', 'checksumValue'],
              properties: {
                algorithm: { enum: ['SHA1', 'SHA256', 'SHA384', 'SHA512'] },
                checksumValue: { type: 'string', pattern: '^[0-9a-f]+$' },
              },
            },
          },
          externalRefs: {
            type: 'array',
            items: { required: ['referenceCategory', 'referenceType', 'referenceLocator'] },
          },
        },
      },
    },
    relationships: {
      type: 'array',
      items: {
        required: ['spdxElementId', 'relatedSpdxElement', 'relationshipType'],
        properties: { spdxElementId: id, relatedSpdxElement: id, relationshipType: text },
      },
    },
  },
};

/**
 * What is wrong with an SPDX 2.3 document.
 *
 * @see https://spdx.github.io/spdx-spec/v2.3/
 */
export function findSpdxErrors(document: unknown): unknown[] {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(SPDX);
  validate(document);
  return validate.errors ?? [];
}
