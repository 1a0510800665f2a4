import { expect, test } from 'vitest';
import { WATCHED_SINCE } from '../../../domain/lake-objects.ts';
import { synthesize } from '../../support/synthesize.ts';
import { allStatements } from '../policies.ts';

const statements = allStatements(synthesize().template('pipeline'));

test('close-run, and no other Lambda, may mark when it began to watch', () => {
  const writers = statements
    .filter(({ actions }) => actions.includes('s3:PutObject'))
    .filter(({ resources }) => resources.some((resource) => resource.endsWith(`/${WATCHED_SINCE.key}`)))
    .map(({ policy }) => policy);
  expect(writers).toEqual([expect.stringContaining('closerun')]);
});
