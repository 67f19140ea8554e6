/** The page of commands is what the table of commands says. */
import { expect, test } from 'vitest';
import { composePage } from '../../support/cli-page.ts';

test('docs/cli.md has every row of the table (run with -u after a change)', async () => {
  await expect(composePage()).toMatchFileSnapshot('../../../docs/cli.md');
});
