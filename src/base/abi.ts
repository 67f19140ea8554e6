/** What a compiled addon depends on, as one word. */

/** Facts of the running process. */
export interface Runtime {
  /** process.versions.modules */
  modules: string;
  platform: string;
  arch: string;
  /** First bytes of the Node binary: the interpreter that it asks for tells the C library. */
  head: string;
}

/**
 * The name of an ABI directory.
 *
 * @example nameAbi({ modules: '137', platform: 'linux', arch: 'x64', head }) // 'node137-linux-x64-glibc'
 */
export function nameAbi({ modules, platform, arch, head }: Runtime): string {
  const base = `node${modules}-${platform}-${arch}`;
  if (platform !== 'linux') return base;
  return `${base}-${head.includes('/ld-musl-') ? 'musl' : 'glibc'}`;
}

/**
 * The platform of an ABI directory.
 *
 * @example platformOf('node137-linux-x64-glibc') // 'linux-x64-glibc'
 */
export const platformOf = (abi: string): string => abi.slice(abi.indexOf('-') + 1);
