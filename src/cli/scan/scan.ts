/** annex scan */
import { type Command, recordPlace, refuse, showPlace, warn } from '../shared/command.ts';
import { readNearestManifest } from '../shared/edit-manifest.ts';
import { plural } from '../shared/format.ts';
import { paint } from '../shared/terminal.ts';
import { type Scan, scanApplication } from './application.ts';
import { findUsableRange, type RequestedPackage, type RequestPlace } from './packages.ts';

/**
 * Reports packages that the sources request and that the application neither declares nor ships, and features
 * that no source names. Nothing is installed or written, and there is no request to a registry.
 */
export const scan: Command = async ({ print }) => {
  const file = readNearestManifest(process.cwd());
  if (file === undefined) {
    throw refuse(`there is no package.json in ${process.cwd()} or above`, 'npm init');
  }
  recordPlace({ core: file });
  showPlace({ core: file });
  const found = await scanApplication(file);
  warnOfUnread(found);
  const undeclared = found.packages.filter(({ state }) => state === 'undeclared');
  const packages = found.packages.map((one) =>
    one.state === 'undeclared' ? { ...one, remedy: composeRemedy(one) } : one,
  );
  print(formatScan(found, undeclared), { ...found, packages }, { core: file });
  return undeclared.length === 0 ? 0 : 1;
};

/** Names the first source that was not read, and the number of all. */
export function warnOfUnread({ unread }: Scan): void {
  const [first] = unread;
  if (first === undefined) return;
  const subject = unread.length === 1 ? '' : `${unread.length} sources are not scanned. `;
  warn(`${subject}${first.file} is not scanned: ${first.problem}`);
}

/** The report for a terminal. */
function formatScan(found: Scan, undeclared: RequestedPackage[]): string {
  const { files, unused, computed } = found;
  const lines = undeclared.flatMap((one) => [
    `${paint('red', one.package)}: neither declared nor shipped; ${describeListing(one)}`,
    ...formatPlaces(one.requests),
    `  Now: ${composeRemedy(one)}`,
  ]);
  for (const name of unused) {
    lines.push(
      `${paint('yellow', name)}: declared, and no source names it`,
      `  Now: npx annex remove ${name}, unless a package in node_modules imports it`,
    );
  }
  if (computed.length > 0) {
    lines.push(
      `${plural(computed.length, 'request')} with a computed name, which a scan cannot read`,
      ...formatPlaces(computed),
    );
  }
  const counts = [
    `${undeclared.length} undeclared`,
    `${unused.length} unused`,
    plural(files, 'source'),
  ];
  const isDeclarable = undeclared.some(({ package: name }) => name !== 'annex');
  const next = isDeclarable ? ['Now: npx annex init, which declares and locks them'] : [];
  return [...lines, counts.join(', '), ...next].join('\n');
}

function formatPlaces(places: readonly RequestPlace[]): string[] {
  const where = places.map(({ file, line }) => `${file}:${line}`);
  const width = Math.max(...where.map((text) => text.length));
  return places.map(({ kind }, at) => `  ${where[at]?.padEnd(width)}  ${kind}`);
}

const describeListing = ({ listedIn }: RequestedPackage): string =>
  listedIn === 'unknown' ? 'no package.json lists it' : `it is in ${listedIn}`;

/** The command that declares a package, in the range that a package.json has for it. annex cannot be a feature. */
function composeRemedy(one: RequestedPackage): string {
  if (one.package === 'annex') return 'npm install annex';
  const range = findUsableRange(one);
  const argument = range === undefined ? one.package : `${one.package}@${range}`;
  return `npx annex add ${/^[\w@/.^~-]+$/.test(argument) ? argument : JSON.stringify(argument)}`;
}
