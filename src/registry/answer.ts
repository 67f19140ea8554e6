/** Reads the JSON that registries answer with. */
import { gunzipSync } from 'node:zlib';
import { isObject, type JsonObject } from '../base/shape.ts';
import type { Client, RegistryResponse } from './client.ts';
import { failResponse } from './failure.ts';

/** Bytes of a packument, which lists every version. */
export const MAX_PACKUMENT = 64 * 2 ** 20;

/** What npm asks for before it installs: without times, and with fewer fields of each version. */
const ABBREVIATED = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*';

/**
 * Asks a registry for all versions of a package.
 *
 * @param registry with a trailing slash
 * @param label the package as messages name it
 */
export const fetchPackument = (
  client: Client,
  registry: string,
  { name, label = name, accept = ABBREVIATED }: { name: string; label?: string; accept?: string },
): Promise<RegistryResponse> =>
  client.get(`${registry}${name.replace('/', '%2f')}`, {
    name,
    label,
    accept,
    maxBytes: MAX_PACKUMENT,
  });

/**
 * Reads the JSON object in a response.
 *
 * @param maxBytes of the text
 * @throws a RequestError for anything else, such as a page
 */
export function readAnswer(response: RegistryResponse, maxBytes: number): JsonObject {
  let answer: unknown;
  try {
    answer = JSON.parse(String(decode(response, maxBytes) ?? response.body));
  } catch {
    answer = undefined;
  }
  if (isObject(answer)) return answer;
  throw failResponse(response.target, 'does not answer with a JSON object');
}

/** Decodes a body with an encoding that was not requested; undefined for any other body. */
export function decode(
  { body, encoding = '' }: RegistryResponse,
  maxBytes: number,
): Buffer | undefined {
  if (!/^(?:x-)?gzip$/i.test(encoding.trim())) return undefined;
  try {
    return gunzipSync(body, { maxOutputLength: maxBytes });
  } catch {
    return undefined;
  }
}
