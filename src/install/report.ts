/** Reports one install on stderr: that it starts, what it waits for, and how it ends. */
import { listLocked } from '../app/locked-versions.ts';
import type { Lookup } from '../app/lookup.ts';
import { AnnexError } from '../base/error.ts';
import type { Facts, LogEvent, Severity } from '../base/log.ts';
import { composeMessage } from '../base/messages.ts';
import { ownOf } from '../base/shape.ts';
import { fitRefusal } from '../status/refusals.ts';
import type { Refusal } from '../types.ts';
import type { Built } from './build.ts';
import { createShownLog, showProgress } from './display.ts';
import { createProgress, type Progress } from './progress.ts';

/** The reports of one install. */
export interface InstallReport {
  /** The state that a line every ten seconds, or a live line, shows between `begin` and `end`. */
  progress: Progress;
  /** Shows the state from now on. */
  begin: () => void;
  end: () => void;
  reportStart: () => void;
  reportWait: (holder: string) => void;
  /** @param built undefined when another process installed the feature */
  reportInstalled: (versions: Record<string, string>, ms: number, built: Built | undefined) => void;
  reportRestored: (dir: string) => void;
  reportStop: (reason: unknown) => void;
  reportFailure: (refusal: Refusal) => void;
  reportDamage: (dir: string, damage: string) => void;
  reportObstacle: (obstacle: string) => void;
}

/** @param store real path of the store; empty without one */
export function createInstallReport(lookup: Lookup, store: string): InstallReport {
  const { settings, feature } = lookup;
  const { name } = feature;
  const { log: level } = settings;
  const log = createShownLog(level);
  const progress = createProgress();
  let hide = (): void => {};
  const say = (
    severity: Severity,
    event: LogEvent,
    message: string,
    more?: Omit<Facts, 'event'>,
  ): void => log(severity, message, { event, feature: name, ...more, ...(store && { store }) });
  return {
    progress,
    begin: () => {
      hide = showProgress(name, progress, level);
    },
    end: () => hide(),
    reportStart: () => {
      const line = `annex: installing ${name} (${describeChoice(lookup)}) into ${store}`;
      say('info', 'install.start', line);
    },
    reportWait: (holder) => {
      Object.assign(progress, { step: 'waiting', holder });
      say('info', 'install.wait', `annex: waiting for ${holder}, which installs ${name}`);
    },
    reportInstalled: (versions, ms, built) => {
      const entries = Object.entries(versions);
      const names = entries.map(([name, version]) => `${name} ${version}`).join(', ');
      const how = built === undefined ? 'by another process' : describeBuilt(built, ms);
      say('info', 'install.end', `annex: installed ${names} ${how}`, {
        version: entries.length === 1 ? entries[0]?.[1] : names,
        ms,
        ...(built && { bytes: built.bytes }),
        ...(progress.hosts.size > 0 && { registry: [...progress.hosts].join(', ') }),
      });
      for (const each of built?.unrun ?? []) {
        say('info', 'install.script', describeUnrun(each, name));
      }
    },
    reportRestored: (dir) =>
      say('info', 'store', `annex: restored ${name}: ${dir} was retired, and is used again`),
    reportStop: (reason) => {
      const why = reason instanceof AnnexError ? reason.refusal.reason : String(reason);
      say('info', 'install.stop', `annex: ${name} is not installed: ${why}`);
    },
    reportFailure: (refusal) => {
      const { code, host } = refusal;
      const facts = { code, ...(host && { registry: host }) };
      say(
        'error',
        'refuse',
        composeMessage(fitRefusal(refusal, settings), { feature: name }),
        facts,
      );
    },
    reportDamage: (dir, damage) =>
      say('error', 'damage', `annex: ${dir} is damaged: ${damage}`, { code: 'ANNEX_INTEGRITY' }),
    reportObstacle: (obstacle) => say('error', 'store', `annex: ${obstacle}`),
  };
}

/** Reported at once: without it, a later failure to load the addon is the first sign. */
const describeUnrun = (unrun: string, name: string): string =>
  `annex: ${unrun}, for ${name}: its install script was not run; if the addon fails to load, ` +
  `allow it in package.json: "scripts": [${JSON.stringify(unrun.split(' ')[0])}]`;

/** The locked versions; ranges where core or npm chooses. */
function describeChoice(lookup: Lookup): string {
  const locked = listLocked(lookup);
  const chosen = Object.entries(lookup.feature.packages).map(([name, range]) => {
    const version = ownOf(locked, name);
    return version === undefined ? `${name}@${range}` : `${name} ${version}`;
  });
  return [...chosen, ...(lookup.readLock().isLocked ? [] : ['not locked'])].join(', ');
}

const describeBuilt = ({ packages, bytes }: Built, ms: number): string =>
  `in ${(ms / 1000).toFixed(1)} s (${packages} ${packages === 1 ? 'package' : 'packages'}, ${(bytes / 1e6).toFixed(1)} MB)`;
