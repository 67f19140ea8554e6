/** Fetching from servers with unusual or invalid HTTP responses, given byte by byte. */
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openFetcher, refuseFetch, SECRET, tarball, wanted } from '../../support/fetching.ts';
import type { Registry } from '../../support/registry.ts';

/** A server that sends the same bytes to every request, and then closes the connection if asked to. */
async function openServer(says: Buffer | string, hangsUp = true): Promise<Registry> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => {
      socket.write(says);
      if (hangsUp) socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}` } as Registry;
}

const answer = (head: string): Buffer => Buffer.concat([Buffer.from(`${head}\r\n\r\n`), tarball]);

test.each([
  ['of HTTP 1.0, until the end', 'HTTP/1.0 200 OK'],
  ['of a length', `HTTP/1.1 200 OK\r\nContent-Length: ${tarball.length}`],
  [
    'after a hint',
    `HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: ${tarball.length}`,
  ],
])('a response %s is accepted', async (_, head) => {
  const { fetcher } = openFetcher(await openServer(answer(head)));
  expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
});

test.each<[string, Buffer | string, string]>([
  ['nothing', '', 'ECONNRESET'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', 'HPE_'],
  [
    'a change of protocol',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    'ECONNRESET',
  ],
  [
    'less than its length',
    answer(`HTTP/1.1 200 OK\r\nContent-Length: ${tarball.length + 1}`),
    'ECONNRESET',
  ],
  [
    'a part of a chunk',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc',
    'ECONNRESET',
  ],
  ['no length but a word', answer('HTTP/1.1 200 OK\r\nContent-Length: many'), 'HPE_'],
  [
    'a header without an end',
    `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`,
    'HPE_HEADER_OVERFLOW',
  ],
])('%s is not a response', async (_, says, code) => {
  const { fetcher } = openFetcher(await openServer(says));
  const refusal = await refuseFetch(fetcher);
  expect(refusal).toMatchObject({ code: 'ANNEX_OFFLINE', reason: expect.stringContaining(code) });
});

test('the body of an error response is not waited for', async () => {
  const { fetcher } = openFetcher(await openServer('HTTP/1.1 403 Forbidden\r\n\r\nno', false));
  expect((await refuseFetch(fetcher)).reason).toContain('answered 403');
});

test('a token with a line end in it is reported as such', async () => {
  const server = await openServer(answer('HTTP/1.0 200 OK'));
  const key = `//${new URL(server.url).host}/:_authToken`;
  const { fetcher } = openFetcher(server, `${key}=\${TOKEN}`, { TOKEN: `${SECRET}\n` });
  expect(await refuseFetch(fetcher)).toEqual({
    code: 'ANNEX_INSTALL_FAILED',
    reason: `the token or password for ${new URL(server.url).host} contains a character that HTTP headers do not allow`,
    hint: 'remove that character, which is often the line end of the file that the token was read from',
  });
});

test('requests of a closed fetcher end, and are not retried', async () => {
  const { fetcher } = openFetcher(await openServer('', false));
  const fetched = fetcher.fetchTarball(wanted);
  fetcher.close();
  await expect(fetched).rejects.toThrow('the fetcher is closed');
  await expect(fetcher.fetchTarball(wanted)).rejects.toThrow('the fetcher is closed');
});
