/** Names of platforms in OCI images: those of Go. */
import type { Platform } from '../base/platform.ts';

/** The platform of an image. */
export interface ImagePlatform {
  architecture: string;
  os: string;
  variant?: string;
}

const SYSTEMS: Record<string, string> = { win32: 'windows' };
/** Of Node's names, those that Go spells otherwise. Node runs on little-endian ppc64 alone, apart from AIX. */
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

/**
 * The platform of an image.
 *
 * @param armVersion of a 32-bit ARM processor: `process.config.variables.arm_version`
 * @example toImagePlatform({ os: 'linux', cpu: 'arm64' }) // { architecture: 'arm64', os: 'linux', variant: 'v8' }
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#platform-variants
 */
export function toImagePlatform({ os, cpu }: Platform, armVersion = '7'): ImagePlatform {
  const platform = { architecture: ARCHITECTURES[cpu] ?? cpu, os: SYSTEMS[os] ?? os };
  if (cpu === 'arm64') return { ...platform, variant: 'v8' };
  return cpu === 'arm' ? { ...platform, variant: `v${armVersion}` } : platform;
}
