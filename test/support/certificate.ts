/** Temporary certificates for registries that use https. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeTree } from './tree.ts';

/** A key and its self-signed certificate, PEM. */
export interface Certificate {
  key: string;
  cert: string;
}

/**
 * Makes one with openssl.
 * @param names subjectAltName, as openssl writes it
 */
export function makeCertificate(names = 'IP:127.0.0.1,DNS:localhost'): Certificate {
  const directory = mkdtempSync(join(tmpdir(), 'annex-certificate-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const about = ['-days', '2', '-subj', '/CN=annex test', '-addext', `subjectAltName=${names}`];
  try {
    const files = ['-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', '-x509', ...kind, ...files, ...about], { stdio: 'pipe' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    removeTree(directory);
  }
}
