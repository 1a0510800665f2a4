/** The generated scripts, whole, as a reviewer and the cluster see them. */
import { describe, expect, it } from 'vitest';
import { ingestEvents } from '../../emr-steps/ingest-events.ts';

describe('generated scripts', () => {
  it.each([ingestEvents])('$scriptName', async (step) => {
    await expect(step.script).toMatchFileSnapshot(`__snapshots__/${step.scriptName}`);
  });
});
