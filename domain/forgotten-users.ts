/**
 * Users who asked to be forgotten: the lake keeps salted hashes of their ids, and ingest drops their rows.
 * Ids are short enough to try them all, so anyone who may read the list can find out which users are on it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';

const SALT_BYTES = 16;

export const forgottenUsersSchema = z.strictObject({
  /** Stored with the hashes: it only makes the lists of two lakes different, and precomputed tables of hashes useless. */
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  /** SHA-256 of salt and user id, in hexadecimal. */
  hashes: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
});
export type ForgottenUsers = z.infer<typeof forgottenUsersSchema>;

/** The list with these users added; no user is on it twice. */
export function forget(known: ForgottenUsers | undefined, userIds: readonly string[]): ForgottenUsers {
  const salt = known?.salt ?? randomBytes(SALT_BYTES).toString('hex');
  const added = userIds.map((userId) => createHash('sha256').update(`${salt}${userId}`).digest('hex'));
  return { salt, hashes: [...new Set([...(known?.hashes ?? []), ...added])] };
}
