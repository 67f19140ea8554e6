/** Names of platforms, as a declaration and a lock write them. */

/** Where a closure is to run. */
export interface Platform {
  os: string;
  cpu: string;
  /** Of Linux alone. */
  libc?: string;
}

/**
 * Reads the name of a platform.
 *
 * @example parsePlatform('linux-x64-glibc') // { os: 'linux', cpu: 'x64', libc: 'glibc' }
 * @returns undefined for what names none
 */
export function parsePlatform(name: string): Platform | undefined {
  const [, os = '', cpu = '', libc] =
    /^([a-z0-9]+)-([a-z0-9]+)(?:-(glibc|musl))?$/.exec(name) ?? [];
  if (os === '' || (os === 'linux') !== (libc !== undefined)) return undefined;
  return { os, cpu, ...(libc !== undefined && { libc }) };
}
