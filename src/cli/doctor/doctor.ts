/** annex doctor */
import { messageOf } from '../../base/thrown.ts';
import type { Settings } from '../../settings/settings.ts';
import { placeRemedy } from '../../status/refusals.ts';
import type { Command } from '../shared/command.ts';
import { examine } from '../shared/examine.ts';
import { cleanFinding, type Finding, formatFindings, problem } from '../shared/findings.ts';
import { readConfig } from '../shared/read-config.ts';
import { checkApplication, checkSettings } from './application.ts';
import { checkFeatures, checkInstalls } from './features.ts';
import { checkLoader, checkNode } from './loader.ts';
import { checkLocks } from './locks.ts';
import { checkMemory } from './memory.ts';
import { checkNpm } from './npm.ts';
import { checkStore } from './store.ts';

/**
 * Reports what an import would meet. Nothing is installed, and nothing is written but one file in the store,
 * which is removed. Without --online there is no request to a registry.
 */
export const doctor: Command = async ({ options: { online = false }, print }) => {
  const findings: Finding[] = [];
  /** On a broken machine a check can fail: that is a finding, and the others go on. */
  const attempt = async <T>(group: string, run: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await run();
    } catch (error) {
      findings.push(problem(`${group}.check`, `this check failed: ${messageOf(error)}`));
      return undefined;
    }
  };
  const check = async (group: string, run: () => Finding[] | Promise<Finding[]>): Promise<void> => {
    findings.push(...((await attempt(group, run)) ?? []));
  };
  const config = await attempt('application', readConfig);
  const settings = config?.application;
  if (config !== undefined) await check('application', () => checkApplication(config));
  await check('node', checkNode);
  await check('loader', () => checkLoader(settings));
  await check('memory', () => checkMemory());
  if (config !== undefined) await check('settings', () => checkSettings(config));
  const examined = settings && (await attempt('features', () => examine(settings)));
  if (examined !== undefined) {
    await check('installs', () => checkInstalls(examined));
    await check('store', () => checkStore(examined));
    await check('locks', () => checkLocks(examined));
    await check('features', () => checkFeatures(examined, findings));
    await check('npm', () => checkNpm(examined, online));
  }
  const cleaned = findings.map((each) => cleanFinding(fitFinding(each, settings)));
  print(formatFindings(cleaned), { findings: cleaned }, settings);
  return findings.some(({ level }) => level === 'problem') ? 1 : 0;
};

const fitFinding = (finding: Finding, settings: Settings | undefined): Finding =>
  finding.remedy === undefined || settings === undefined
    ? finding
    : { ...finding, remedy: placeRemedy(finding.remedy, settings) };
