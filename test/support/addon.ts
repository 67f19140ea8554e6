/** A real addon that takes its answer from a shared library beside it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Node-API by hand: the headers of Node are not on every machine. */
const ADDON = `
#include <stddef.h>
int napi_create_string_utf8(void *, const char *, size_t, void **);
int napi_set_named_property(void *, void *, const char *, void *);
const char *who(void);
void *napi_register_module_v1(void *env, void *exports) {
  void *text;
  napi_create_string_utf8(env, who(), (size_t)-1, &text);
  napi_set_named_property(env, exports, "marker", text);
  return exports;
}`;

const libraryOf = (marker: string): string => `const char *who(void) { return "${marker}"; }`;

/** Compiled files. */
export interface Compiled {
  /** Exports `marker`: what `libwho.so` says, in the first of `early` and its own directory that has one. */
  addon: Buffer;
  /** Says `sound`. */
  library: Buffer;
  /** The same two, which say `EVIL`. */
  evilAddon: Buffer;
  evilLibrary: Buffer;
}

/** Compiles them with cc. */
export function compileAddon(): Compiled {
  const dir = mkdtempSync(join(realpathSync(tmpdir()), 'annex-addon-'));
  const compile = (output: string, source: string, ...flags: string[]): Buffer => {
    writeFileSync(join(dir, 'source.c'), source);
    const args = ['-shared', '-fPIC', '-o', output, 'source.c', ...flags];
    execFileSync('cc', args, { cwd: dir, stdio: 'inherit' });
    return readFileSync(join(dir, output));
  };
  try {
    const library = compile('libwho.so', libraryOf('sound'));
    const path = '-Wl,-rpath,$ORIGIN/early:$ORIGIN';
    const addon = compile('addon.node', ADDON, '-L.', '-lwho', path);
    const evilAddon = compile('evil.node', `${ADDON}\n${libraryOf('EVIL')}`);
    const evilLibrary = compile('evil.so', libraryOf('EVIL'));
    return { addon, library, evilAddon, evilLibrary };
  } finally {
    rmSync(dir, { recursive: true });
  }
}
