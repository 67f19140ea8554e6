/** Reads the JSON that registries answer with. */
import { gunzipSync } from 'node:zlib';
import type { AnnexError } from '../base/error.ts';
import { isObject, type JsonObject } from '../base/shape.ts';
import type { RegistryResponse } from './client.ts';
import { makeRequestError, refuseResponse } from './failure.ts';

/** Bytes of a packument, which lists every version. */
export const MAX_PACKUMENT = 64 * 2 ** 20;

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
  throw failAnswer(response, 'does not answer with a JSON object');
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

/** The error for an answer that annex does not accept. */
export const failAnswer = ({ target }: RegistryResponse, problem: string): AnnexError =>
  makeRequestError(refuseResponse(target, problem), { isTransient: false });
