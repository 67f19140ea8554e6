/** annex list */
import { findStatus } from '../status.ts';
import { measureTree } from '../store/publish.ts';
import { type Command, findSettings } from './command.ts';

/** Lists every feature: its packages and ranges, where it is, version and size. */
export const list: Command = ({ args, print }) => {
  if (args.length > 0) return undefined;
  const settings = findSettings();
  if (settings === undefined) return 1;
  const rows = [...settings.declaration.features.values()].map((feature) => {
    const status = findStatus(settings, feature);
    return { ...status, ...(status.dir !== undefined && { bytes: measureTree(status.dir) }) };
  });
  const cells = rows.flatMap(({ feature, packages, bytes, where, refusal }) =>
    (Object.keys(packages).length === 0
      ? [['-', { range: '-', where }] as const]
      : Object.entries(packages)
    ).map(([name, found], index) => [
      index === 0 ? feature : '',
      name,
      found.range,
      found.where,
      'version' in found ? (found.version ?? '-') : '-',
      index === 0 && bytes !== undefined ? `${(bytes / 1e6).toFixed(1)} MB` : '',
      index === 0 && refusal !== undefined ? `${refusal.code}: ${refusal.reason}` : '',
    ]),
  );
  const head = ['feature', 'package', 'range', 'where', 'version', 'size', ''];
  print(layOut([head, ...cells]), rows);
  return 0;
};

function layOut(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
