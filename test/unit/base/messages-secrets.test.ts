/** No credential gets into a message. */
import { describe, expect, test } from 'vitest';
import { AnnexError } from '../../../src/base/error.ts';
import { composeMessage, composeNotice, redact } from '../../../src/base/messages.ts';
import { messageOf } from '../../../src/base/thrown.ts';
import { context, refusal } from '../../support/refusal.ts';

describe('credentials are removed', () => {
  const secret = 's3cr3t-v4lue';
  test.each([
    `https://user:${secret}@registry.corp/alpha`,
    `https://${secret}@registry.corp/`,
    `https://user:pa@${secret}@registry.corp/`,
    `git+ssh://user:${secret}@host/x`,
    `request to http://me:${secret}@127.0.0.1:1234/alpha failed, reason: connect ECONNREFUSED`,
    `"https://user:${secret}@a/" and "https://user:${secret}@b/"`,
    `//registry.corp/:_authToken=${secret}`,
    `//registry.corp/:_authToken = "${secret}"`,
    `//registry.corp/:_auth=${secret}`,
    `//registry.corp/:_password="${secret}"`,
    `{"_authToken":"${secret}"}`,
    `{"token": "${secret}"}`,
    `password=${secret}`,
    `Authorization: Bearer ${secret}`,
    `authorization: basic ${secret}==`,
    `authorization: ${secret}`,
    `Bearer ${secret}`,
    `BEARER ${secret}`,
    `NPM_TOKEN=${secret}`,
    `https://registry.corp/?token=${secret}&x=1`,
    `https://registry.corp/?access_token=${secret}`,
  ])('%s', (text) => {
    const redacted = redact(text);
    expect(redacted).not.toContain(secret);
    expect(redacted).toContain('***');
    expect(redact(redacted)).toBe(redacted);
  });

  test("npm's own tokens are recognized by their form", () => {
    const token = `npm_${'aB3'.repeat(12)}`;
    expect(redact(`got ${token}, said 401`)).toBe('got ***, said 401');
  });

  test.each([
    'https://registry.corp/@acme/alpha',
    'https://registry.corp/alpha/-/alpha-1.0.0.tgz',
    'http://127.0.0.1:4873/',
    'No matching version found for alpha@^9.0.0.',
    'the store /opt/data/annex belongs to uid 1000',
    'unset ANNEX_CONFIG',
    'give npm a valid token for that registry in an .npmrc, such as the file in npm_config_userconfig',
  ])('%s does not change', (text) => {
    expect(redact(text)).toBe(text);
  });

  test('from a message, a notice and the message of another error', () => {
    const leaking = {
      ...refusal,
      reason: `//r/:_authToken=${secret}`,
      hint: `https://u:${secret}@r/`,
    };
    const error = new Error(`https://u:${secret}@r/ said no\nmore ${secret}`);
    for (const text of [
      composeMessage(leaking, context),
      composeNotice(leaking),
      new AnnexError(leaking, context).message,
      messageOf(error),
    ]) {
      expect(text).not.toContain(secret);
    }
  });
});
