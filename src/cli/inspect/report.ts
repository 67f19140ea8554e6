/** annex report */
import { writeFileSync } from 'node:fs';
import { codeOf, messageOf } from '../../base/thrown.ts';
import { findBuildDate } from '../../lock/made.ts';
import { composeMarkdown } from '../../report/markdown.ts';
import { composePage } from '../../report/page.ts';
import { type Command, readSettings, refuse } from '../shared/command.ts';
import { collectReport } from './report-facts.ts';

/** Prints a page of the application and its features, or writes it into a file. */
export const report: Command = ({ options: { format, output }, print }) => {
  const settings = readSettings();
  const facts = collectReport(settings);
  const text =
    format === 'md' ? `${composeMarkdown(facts)}\n` : composePage(facts, findBuildDate());
  if (output !== undefined) write(output, text);
  print(output === undefined ? text.trimEnd() : '', { ...facts }, settings);
  return 0;
};

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    const reason = `${path} cannot be written: ${codeOf(error) ?? messageOf(error)}`;
    throw refuse(reason, 'choose another file for --output');
  }
}
