/** A directory as the kubelet mounts a ConfigMap: links to the data, which one rename replaces. */
import { mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A mounted ConfigMap. */
export interface ConfigMap {
  /** Directory of this machine to mount. */
  dir: string;
  /**
   * Replaces all files at once, as `AtomicWriter` of the kubelet does.
   *
   * @see https://github.com/kubernetes/kubernetes/blob/master/pkg/volume/util/atomic_writer.go
   */
  update(files: Record<string, string | object>): void;
}

/** Makes the directory, with its first files. */
export function mountConfigMap(dir: string, files: Record<string, string | object>): ConfigMap {
  mkdirSync(dir, { mode: 0o777 });
  let version = 0;
  const update: ConfigMap['update'] = (next) => {
    version += 1;
    const name = `..2026_11_30_00_00_0${version}.${version}`;
    mkdirSync(join(dir, name), { mode: 0o755 });
    for (const [file, content] of Object.entries(next)) {
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      writeFileSync(join(dir, name, file), text, { mode: 0o644 });
    }
    symlinkSync(name, join(dir, '..data_tmp'));
    const former = version === 1 ? undefined : readlinkSync(join(dir, '..data'));
    renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
    for (const file of Object.keys(next)) {
      if (version === 1) symlinkSync(join('..data', file), join(dir, file));
    }
    if (former !== undefined) rmSync(join(dir, former), { recursive: true });
  };
  update(files);
  return { dir, update };
}
