import { describe, expect, it } from 'vitest';
import { forget, forgottenUsersSchema } from '../../domain/forgotten-users.ts';

describe('users to be forgotten', () => {
  it('are kept as salted hashes, each once, under one salt', () => {
    const first = forget(undefined, ['17', '18']);
    const second = forget(first, ['18', '19']);
    expect(forgottenUsersSchema.parse(second)).toEqual(second);
    expect(second.salt).toBe(first.salt);
    expect(second.hashes).toHaveLength(3);
    expect(second.hashes.slice(0, 2)).toEqual(first.hashes);
  });

  it('cannot be told by comparing two lakes', () => {
    expect(forget(undefined, ['17']).hashes).not.toEqual(forget(undefined, ['17']).hashes);
  });
});
