/** Digests of what annex reads. */

/** sha256 of a text or bytes, as hex digits. Loads node:crypto late: a core without locks pays nothing for it. */
export const digest = (data: string | Uint8Array): string =>
  process.getBuiltinModule('node:crypto').hash('sha256', data);
