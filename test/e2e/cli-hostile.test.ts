/** What commands show of names, licences and reasons that other people wrote. */
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { lockBefore, node } from '../support/lock-files.ts';
import { makeSigner } from '../support/signing.ts';

const HOSTILE = 'MIT\x1b[2J\x1b]0;owned\x07\u009B2J\u202Egpj\u200B\nfake  1  line';

const open = lockBefore({
  packages: [esmPackage('kit', '1.0.0', 'kit', { license: HOSTILE })],
  annex: { features: { kit: '^1.0.0' } },
});

/** Invisible characters, except ends of lines. */
const INVISIBLE = /[^\P{Cc}\n]|[\p{Cf}\p{Default_Ignorable_Code_Point}]/u;

describe(node.label, () => {
  test('no command prints an invisible character of a licence, a name or a setting', async () => {
    const { sandbox } = await open();
    const name = `evil${HOSTILE}`;
    sandbox.setCore(
      { features: { kit: '^1.0.0', [name]: '^1' }, [`key${HOSTILE}`]: 1, blocked: [name] },
      { name: `app${HOSTILE}`, version: `1.0.0${HOSTILE}` },
    );
    const commands = [
      ['licenses'],
      ['list'],
      ['config'],
      ['doctor'],
      ['scan'],
      ['lock', '--check'],
      ['store', 'ls'],
      ['report', '--format', 'md'],
      ['report'],
      ['outdated'],
      ['audit'],
      ['sbom'],
      ['why', name],
      ['uninstall', name],
      ['lock', `--${name}`],
    ];
    const json = [['licenses'], ['list'], ['config']].map((words) => [...words, '--json']);
    for (const args of [...commands, ...json]) {
      const { stdout, stderr } = await sandbox.annex(args);
      expect({ args, found: INVISIBLE.exec(stdout + stderr) }).toEqual({ args, found: null });
    }
    const table = await sandbox.annex(['licenses', 'kit']);
    expect(table.stdout.split('\n')).toHaveLength(3);
    const { stdout } = await sandbox.annex(['licenses', 'kit', '--json']);
    expect(JSON.parse(stdout).licenses[0].license).toBe(HOSTILE);
  });

  test('no command prints the password in the address of a registry', async () => {
    const { sandbox, registry } = await open();
    registry.signer = makeSigner();
    const env = { npm_config_registry: registry.url.replace('//', '//me:s3cret@') };
    for (const args of [['audit', 'signatures'], ['audit'], ['outdated'], ['doctor', '--online']]) {
      const { code, stdout, stderr } = await sandbox.annex([...args, '--json'], { env });
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      expect(stdout).not.toContain('s3cret');
    }
    const broken = { ANNEX_CONFIG: 'https://me:s3cret@corp/annex.json' };
    const { stdout } = await sandbox.annex(['list', '--json'], { env: broken });
    expect(stdout).not.toContain('s3cret');
  });
});
