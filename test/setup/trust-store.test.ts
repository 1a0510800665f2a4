import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { expect, test } from 'vitest';
import { javaHome } from '../../setup/environment.mjs';
import { encodeTrustStore, trustStorePassword } from '../../setup/trust-store.mjs';

test('Java reads the trust store, with every authority once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'trust-'));
  const file = join(folder, 'authorities.jks');
  const authorities = rootCertificates.slice(0, 3);
  writeFileSync(file, encodeTrustStore([...authorities, ...authorities]));
  const keytool = join(javaHome, 'bin', 'keytool');
  const listing = execFileSync(keytool, ['-list', '-keystore', file, '-storepass', trustStorePassword], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  rmSync(folder, { recursive: true });
  expect(listing).toContain('contains 3 entries');
  expect(listing.match(/trustedCertEntry/g)).toHaveLength(3);
});
