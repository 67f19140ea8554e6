/** A proxy on loopback: forwards requests, opens tunnels, and records both. */
import { createServer, request as forward, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A running proxy. */
export interface LoopbackProxy {
  /** Host and port. */
  host: string;
  /** `GET http://...` and `CONNECT host:port`, as received. */
  requests: string[];
  /** Closes the port and every open connection. */
  stop(): Promise<void>;
}

/**
 * Starts a proxy on a free loopback port.
 * @param account `user:password` that it requires; none by default
 */
export async function startProxy(account?: string): Promise<LoopbackProxy> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const expected = account && `Basic ${Buffer.from(account).toString('base64')}`;
  const isKnown = ({ headers }: IncomingMessage): boolean =>
    expected === undefined || headers['proxy-authorization'] === expected;

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (!isKnown(request)) {
      response.writeHead(407).end();
      return;
    }
    const { 'proxy-authorization': _, ...headers } = request.headers;
    forward(String(request.url), { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    })
      .on('error', () => response.destroy())
      .end();
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    requests.push(`CONNECT ${request.url}`);
    client.on('error', () => client.destroy());
    if (!isKnown(request)) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const target = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.pipe(client).pipe(target);
    });
    sockets.add(target);
    target.on('error', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
