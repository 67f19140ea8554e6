/** The listener of events; what it receives is in test/e2e/events.test.ts. */
import { expect, test } from 'vitest';
import { onEvent } from '../../../src/base/events.ts';

test.each([[undefined], ['install.end'], [{}]])('the listener %j is a TypeError', (listener) => {
  const message = `the argument "listener" is a function, not ${typeof listener}`;
  expect(() => onEvent(listener as never)).toThrow(new TypeError(message));
});
