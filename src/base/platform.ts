/** Names of platforms and ABIs: pure. */

/** The platform that a closure is for. */
export interface Platform {
  os: string;
  cpu: string;
  /** Linux only. */
  libc?: string;
}

/**
 * Reads the name of a platform.
 *
 * @example parsePlatform('linux-x64-glibc') // { os: 'linux', cpu: 'x64', libc: 'glibc' }
 * @returns undefined for anything else
 */
export function parsePlatform(name: string): Platform | undefined {
  const [, os = '', cpu = '', libc] =
    /^([a-z0-9]+)-([a-z0-9]+)(?:-(glibc|musl))?$/.exec(name) ?? [];
  if (os === '' || (os === 'linux') !== (libc !== undefined)) return undefined;
  return { os, cpu, ...(libc !== undefined && { libc }) };
}

/** Facts of a process that name its ABI. */
export interface Runtime {
  /** process.versions.modules */
  modules: string;
  platform: string;
  arch: string;
  /** First bytes of the Node binary, which name its interpreter and so the C library. */
  head: string;
}

/**
 * Name of an ABI directory.
 *
 * @example nameAbi({ modules: '137', platform: 'linux', arch: 'x64', head }) // 'node137-linux-x64-glibc'
 */
export function nameAbi({ modules, platform, arch, head }: Runtime): string {
  const base = `node${modules}-${platform}-${arch}`;
  if (platform !== 'linux') return base;
  return `${base}-${head.includes('/ld-musl-') ? 'musl' : 'glibc'}`;
}

/**
 * Platform of an ABI directory.
 *
 * @example platformOf('node137-linux-x64-glibc') // 'linux-x64-glibc'
 */
export const platformOf = (abi: string): string => abi.slice(abi.indexOf('-') + 1);
