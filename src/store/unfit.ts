/** What an entry that is there and does not fit says about itself, and the remedy for one in a layer. */
import { readAbi } from '../base/abi.ts';
import { platformOf } from '../base/platform.ts';
import { isAbiName, PLAIN, VERSION } from '../base/store-layout.ts';
import { listNames } from './directory.ts';
import { UNMAPPED } from './ownership.ts';

/** An entry that is there and cannot be used, and what makes one that can. */
export interface UnfitEntry {
  /** One clause; undefined when the layers have no entry of the feature. */
  reason?: string;
  hint: string;
  isLayer: boolean;
}

/** The states of an entry in a layer whose remedy is another bake, mount or owner. */
const REMEDIES: Record<string, string> = {
  'other lock': 'bake the layer again from this lock',
  'other declaration': 'bake the layer again from this application',
  damaged: 'bake the layer again and mount it',
  noexec: 'mount the layer without noexec',
  'not trusted': 'let root own the layer, and nobody else write it',
};

/** A rejected entry that is in a layer, if its state has a remedy. */
export function toUnfit(
  { state, reason }: { state: string; reason: string },
  isLayer: boolean,
): UnfitEntry | undefined {
  const isUnmapped = state === 'not trusted' && reason.includes(UNMAPPED);
  const remedy = isUnmapped
    ? 'map the owner of the layer into the user namespace'
    : REMEDIES[state];
  const hint = isLayer ? remedy : undefined;
  return hint === undefined ? undefined : { reason, hint, isLayer };
}

/** What a layer without an entry of the feature needs. */
export const UNBAKED: UnfitEntry = { hint: 'bake it into a layer', isLayer: true };

/** ABI directories of a store for other Nodes and platforms. */
export const listOtherAbis = (store: string, own: string): string[] =>
  listNames(store, VERSION).filter((name) => isAbiName(name) && name !== own && name !== PLAIN);

/** The release of Node by its NODE_MODULE_VERSION. @see https://nodejs.org/download/release/index.json */
const RELEASES: Record<string, number> = { 108: 18, 115: 20, 127: 22, 137: 24, 141: 25, 147: 26 };

/**
 * Says of an entry that it is for another Node or platform.
 *
 * @param abi its ABI directory
 */
export function describeOtherAbi(path: string, abi: string, isLayer: boolean): UnfitEntry {
  const own = readAbi();
  const isSame = platformOf(abi) === platformOf(own);
  const name = (each: string): string =>
    isSame ? nameNode(each) : `${nameNode(each)} on ${platformOf(each)}`;
  return {
    reason: `${path} is for ${name(abi)}, and this is ${name(own)}`,
    hint: isLayer ? `bake the layer with ${name(own)}` : `run it with ${name(abi)}`,
    isLayer,
  };
}

/** @example nameNode('node137-linux-x64-glibc') // 'Node 24' */
function nameNode(abi: string): string {
  const modules = abi.slice('node'.length, abi.indexOf('-'));
  const release = RELEASES[modules];
  return release === undefined ? `a Node of NODE_MODULE_VERSION ${modules}` : `Node ${release}`;
}
