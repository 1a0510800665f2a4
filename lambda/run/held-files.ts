/** The files whose events the lake holds. */
import { LEDGER } from '../../domain/lake-objects.ts';
import type { Lake } from './lake.ts';

/** How many there are: of each address the last that the ledger says, without those taken out and those passed over. */
export async function countHeldFiles(lake: Lake): Promise<number> {
  const batches = [...(await lake.list(LEDGER))];
  batches.sort((a, b) => a.modifiedAt.getTime() - b.modifiedAt.getTime());
  const held = new Set<string>();
  for (const { object } of batches) {
    for await (const rows of lake.rows(object)) {
      for (const { uri, taken_out: isTakenOut, passed_over: passedOver } of rows) {
        if (isTakenOut || passedOver !== '') held.delete(uri);
        else held.add(uri);
      }
    }
  }
  return held.size;
}
