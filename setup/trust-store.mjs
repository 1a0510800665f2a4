/**
 * Builds the trust store with which Java downloads the Iceberg jar.
 *
 * The Java runtime of the Python environment trusts only the certificate authorities it was built with. Behind a
 * company's proxy the machine trusts others too, which Node can list. Java reads them from a JKS file: a plain list of
 * certificates and a digest (see encodeTrustStore).
 *
 * Usage, on the project's own Node (22.15 or later): node setup/trust-store.mjs <file to write>
 */
import { createHash, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** JKS files have a password for integrity only; this is Java's usual one. */
export const trustStorePassword = 'changeit';

const MAGIC = 0xfeedfeed;
const VERSION = 2;
const TRUSTED_CERTIFICATE = 2;

/** @param {number} value */
const uint32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** Java's length-prefixed string, for ASCII. @param {string} text */
const utf = (text) => Buffer.concat([uint32(text.length).subarray(2), Buffer.from(text, 'ascii')]);

/**
 * Encodes certificates (PEM) as a Java key store that holds them as trusted.
 * @param {readonly string[]} certificates
 * @returns {Buffer}
 */
export function encodeTrustStore(certificates) {
  const distinct = [...new Set(certificates.map((pem) => new X509Certificate(pem).raw.toString('base64')))];
  const entries = distinct.map((base64, index) => {
    const der = Buffer.from(base64, 'base64');
    const timestamp = Buffer.alloc(8);
    return Buffer.concat([
      uint32(TRUSTED_CERTIFICATE),
      utf(`authority-${index}`),
      timestamp,
      utf('X.509'),
      uint32(der.length),
      der,
    ]);
  });
  const body = Buffer.concat([uint32(MAGIC), uint32(VERSION), uint32(entries.length), ...entries]);
  const passwordBytes = Buffer.from(trustStorePassword, 'utf16le').swap16();
  const digest = createHash('sha1').update(passwordBytes).update('Mighty Aphrodite').update(body).digest();
  return Buffer.concat([body, digest]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , target] = process.argv;
  if (target === undefined) throw new Error('Name the file to write: node setup/trust-store.mjs <file>');
  const { getCACertificates } = await import('node:tls');
  writeFileSync(
    target,
    encodeTrustStore(
      /** @type {const} */ (['bundled', 'system', 'extra']).flatMap((kind) => getCACertificates(kind)),
    ),
  );
}
