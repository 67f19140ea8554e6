/**
 * run-in-client.mjs DIR COMMAND ARG...: runs a command in a client of test/support/nfs.ts, with this environment. Ends
 * with the directory of the client.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [dir, ...command] = process.argv.slice(2);
const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const name = `${randomUUID()}.sh`;
const variables = Object.entries(process.env).map(([key, value]) => quote(`${key}=${value}`));
const script = `cd ${quote(process.cwd())} && exec env -i ${[...variables, ...command.map(quote)].join(' ')}\n`;
writeFileSync(join(dir, name), script);
renameSync(join(dir, name), join(dir, 'queue', name));
const at = (suffix) => join(dir, 'done', name + suffix);
while (!existsSync(at('.code'))) {
  if (!existsSync(dir)) process.exit(1);
  await sleep(20);
}
process.stdout.write(readFileSync(at('.out')));
process.stderr.write(readFileSync(at('.err')));
process.exitCode = Number(readFileSync(at('.code'), 'utf8'));
