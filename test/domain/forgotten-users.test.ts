import { describe, expect, it } from 'vitest';
import { forget, forgottenUsersSchema } from '../../domain/forgotten-users.ts';

describe('forgotten users', () => {
  it('are stored as salted hashes, each once, with one salt', () => {
    const first = forget(undefined, ['17', '18']);
    const second = forget(first, ['18', '19']);
    expect(forgottenUsersSchema.parse(second)).toEqual(second);
    expect(second.salt).toBe(first.salt);
    expect(second.hashes).toHaveLength(3);
    expect(second.hashes.slice(0, 2)).toEqual(first.hashes);
  });

  it('cannot be identified by comparing two lakes', () => {
    expect(forget(undefined, ['17']).hashes).not.toEqual(forget(undefined, ['17']).hashes);
  });
});
