import { expect, it } from 'vitest';
import { LEDGER } from '../../../domain/lake-objects.ts';
import { countHeldFiles } from '../../../lambda/run/held-files.ts';
import { MemoryPorts } from '../../support/memory-ports.ts';
import { at, worldOn } from '../../support/run-fixture.ts';

it('counts each address once, without those that were taken out or are no event files', async () => {
  const ports = new MemoryPorts();
  const { lake } = worldOn(ports);
  const batches = [
    [{ uri: 'a' }, { uri: 'b' }, { uri: 'c', passed_over: 'no_events' }, { uri: 'd' }],
    [
      { uri: 'a', etag: 'corrected' },
      { uri: 'b', taken_out: true },
      { uri: 'd', passed_over: 'zip' },
    ],
    [{ uri: 'e' }],
  ];
  for (const [number, rows] of batches.entries()) {
    const lines = rows.map((row) => `${JSON.stringify({ etag: 'first', bytes: 10, ...row })}\n`);
    ports.objects.put(at(LEDGER.of(`000000000000000${number}`).key), lines.join(''));
    ports.clock.advance(60_000);
  }
  expect(await countHeldFiles(lake)).toBe(2);
});
