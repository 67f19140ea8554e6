/** The parser of the command line: what it accepts, and what it says about the rest. */
import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../../src/cli/table/parse.ts';

const parse = (words: string[]) => {
  const { row, args, options, problem } = parseCommandLine(words);
  return { name: row?.name, args, options, ...(problem !== undefined && { problem }) };
};

describe('accepted', () => {
  test.each<[string[], object]>([
    [['list'], { name: 'list', args: [], options: {} }],
    [['--json', 'list'], { name: 'list', args: [], options: { json: true } }],
    [['ls', '-C', '/app'], { name: 'list', args: [], options: { directory: '/app' } }],
    [['status', '-C/app'], { name: 'list', args: [], options: { directory: '/app' } }],
    [['rm', 'a', 'b'], { name: 'remove', args: ['a', 'b'], options: {} }],
    [['lock', '--min-age=7', 'a'], { name: 'lock', args: ['a'], options: { 'min-age': '7' } }],
    [['why', '--from', '-', 'a'], { name: 'why', args: ['a'], options: { from: '-' } }],
    [['why', 'a', '--from=-x.js'], { name: 'why', args: ['a'], options: { from: '-x.js' } }],
    [['install', '--', '-a'], { name: 'install', args: ['-a'], options: {} }],
    [['install', '--all'], { name: 'install', args: [], options: { all: true } }],
    [
      ['install', '--json', '--graph=/a', '--graph=/b', '--', 'x'],
      { name: 'install', args: ['x'], options: { json: true, graph: ['/a', '/b'] } },
    ],
    [['prune', '--days=1', '--days=2'], { name: 'prune', args: [], options: { days: '2' } }],
    [['store', 'ls'], { name: 'store', args: ['ls'], options: {} }],
    [['store', 'prune', '--days=1'], { name: 'prune', args: [], options: { days: '1' } }],
    [['--json', 'store', 'verify', 'a'], { name: 'verify', args: ['a'], options: { json: true } }],
    [['-v'], { name: undefined, args: [], options: { version: true } }],
    [[], { name: undefined, args: [], options: {} }],
  ])('%j', (words, expected) => {
    expect(parse(words)).toEqual(expected);
  });
});

describe('refused', () => {
  test.each<[string[], string]>([
    [['lsit'], '"lsit" is not a command; did you mean list?'],
    [['unistall', 'a'], '"unistall" is not a command; did you mean uninstall?'],
    [['i', 'exa-js'], '"i" is not a command; did you mean install?'],
    [['up'], '"up" is not a command; did you mean update?'],
    [['constructor'], '"constructor" is not a command'],
    [['frobnicate', '--all'], '"frobnicate" is not a command'],
    [['list', '--jsno'], 'list has no option --jsno; did you mean --json?'],
    [['list', '-x'], 'list has no option -x'],
    [['list', '--all'], 'list has no option --all'],
    [['list', '--constructor'], 'list has no option --constructor'],
    [['list', '--no-json'], 'list has no option --no-json; did you mean --json?'],
    [['install', '--grap', 'x'], 'install has no option --grap'],
    [['add', 'a', '--core', '/app'], 'add has no option --core'],
    [['--bogus'], 'annex has no option --bogus'],
    [['list', '--json=yes'], '--json takes no value'],
    [['why', 'a', '--from'], '--from needs a value: --from FILE'],
    [['why', 'a', '--from='], '--from needs a value: --from FILE'],
    [['why', 'a', '--from', '--json'], '--from needs a value: --from FILE'],
    [['list', '-C'], '-C needs a value: -C DIR'],
    [['prune', '--days', '1e3'], '--days is a number of days from 0 to 36500, not "1e3"'],
    [['prune', '--days', '36501'], '--days is a number of days from 0 to 36500, not "36501"'],
    [['lock', '--min-age', '-'], '--min-age is a number of days from 0 to 36500, not "-"'],
    [['sbom', '--format', 'spx'], '--format is cyclonedx or spdx, not "spx"; did you mean spdx?'],
    [['completion', 'bahs'], 'completion takes bash, zsh or fish, not "bahs"; did you mean bash?'],
    [['list', '-q', '--json'], '--quiet and --json exclude each other'],
    [['list', '--metrics', '--json'], '--metrics and --json exclude each other'],
    [['list', '--metrics', '-q'], '--metrics and --quiet exclude each other'],
    [['lock', '--check', '--min-age', '1'], '--min-age and --check exclude each other'],
    [['add'], 'add needs NAME[@RANGE]'],
    [['add', ''], 'add needs NAME[@RANGE]'],
    [['bake'], 'bake needs DIRECTORY'],
    [['why', ''], 'why needs SPECIFIER'],
    [['why', 'a', 'b'], 'why takes one argument; "b" is too many'],
    [['store'], 'store needs one of path, ls, df, prune, verify'],
    [['store', 'lst'], 'store takes path, ls, df, prune or verify, not "lst"; did you mean ls?'],
    [['store', 'ls', 'a'], 'store takes one argument; "a" is too many'],
    [['store', 'ls', '--days', '1'], 'store has no option --days'],
    [['list', 'a'], 'list takes no argument; "a" is too many'],
    [['install'], 'install needs FEATURE or --all'],
    [['install', '--all', 'a'], 'install takes FEATURE or --all, not both'],
  ])('%j', (words, problem) => {
    expect(parse(words).problem).toBe(problem);
  });
});
