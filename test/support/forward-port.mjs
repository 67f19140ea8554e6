/** forward-port.mjs PORT FROM TO: forwards a port of one address to the same port of another. */
import { connect, createServer } from 'node:net';

const [port, from, to] = process.argv.slice(2);
createServer((socket) => {
  const other = connect(Number(port), to);
  for (const [one, two] of [
    [socket, other],
    [other, socket],
  ]) {
    one.pipe(two);
    one.on('error', () => two.destroy());
  }
}).listen(Number(port), from);
