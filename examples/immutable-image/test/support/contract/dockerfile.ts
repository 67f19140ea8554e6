/** Instructions of a Dockerfile. */
import { DockerfileParser, type Instruction, type PropertyInstruction } from 'dockerfile-ast';
import { readWords } from './shell-words.ts';

/** One instruction. */
export interface Step {
  keyword: string;
  /** Arguments without quotes and flags; for RUN the words of its shell; for ENV and ARG `NAME=VALUE`. */
  words: string[];
}

/** The instructions of a Dockerfile, or of a part of one. */
export const readSteps = (text: string): Step[] =>
  DockerfileParser.parse(text)
    .getInstructions()
    .map((instruction) => ({
      keyword: instruction.getKeyword(),
      words: readArguments(instruction),
    }));

function readArguments(instruction: Instruction): string[] {
  const content = instruction.getArgumentsContent() ?? '';
  if ('getProperties' in instruction) {
    const properties = (instruction as PropertyInstruction).getProperties();
    return properties.map((property) => `${property.getName()}=${property.getValue()}`);
  }
  const [, json] = /^(?:CMD\s+)?(\[.*\])$/s.exec(content) ?? [];
  if (json !== undefined) return JSON.parse(json) as string[];
  return readWords(content).map(({ text }) => text);
}

/** The last value of a variable that ENV sets. */
export const readEnv = (steps: readonly Step[], name: string): string | undefined =>
  steps
    .filter(({ keyword }) => keyword === 'ENV')
    .flatMap(({ words }) => words)
    .findLast((word) => word.startsWith(`${name}=`))
    ?.slice(name.length + 1);

/** The words after a word: `after(['useradd', '--uid', '1'], '--uid')` is `['1']`. */
export const readAfter = (words: readonly string[], word: string): string[] =>
  words.flatMap((text, index) => (text === word ? words.slice(index + 1, index + 2) : []));
