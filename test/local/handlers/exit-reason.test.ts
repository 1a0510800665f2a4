import { expect, it } from 'vitest';
import { exitReason } from '../../../local/handlers/elasticmapreduce.ts';

it('says that memory ran out when the system killed a step, and its exit code otherwise', () => {
  expect(exitReason(137)).toContain('out of memory');
  expect(exitReason(3)).toContain('out of memory');
  expect(exitReason(52)).toContain('out of memory');
  expect(exitReason(1)).toBe('spark-submit failed with exit code 1');
});
