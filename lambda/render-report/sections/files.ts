/** Which files the rows came in: those with refused rows and duplicates, those that came late, and those that were not read. */
import type { FileCounts } from '../../../domain/lake-objects.ts';
import { passedOverText } from '../../../domain/listing.ts';
import type { RunDetail } from '../../../domain/records.ts';
import type { FilesOfBatch } from '../files-of-batch.ts';
import { between, counted, day, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { type TableColumn, table } from '../html-table.ts';

/** Undefined where the ledger was not read, and in a run without new files. */
export function filesSection(detail: RunDetail, files: FilesOfBatch | undefined): Html | undefined {
  const { plan, ingest } = detail;
  if (files === undefined || plan.batch.files.length === 0) return undefined;
  const { worst, withRefused, withDuplicates, late } = files;
  const passedOver = [...(plan.listing?.passedOver ?? []), ...(ingest.passedOver ?? [])];
  return html`<section class="long" id="files">
<h2>Which files they came in</h2>
<p>${counted(plan.batch.files.length, 'file')} of this run: ${numberOf(withRefused)} refused rows, ${numberOf(withDuplicates)} duplicates.
${lateText(late, detail)}</p>
${passedOver.length === 0 ? undefined : html`<ul>${passedOver.map((one) => html`<li>${passedOverText(one)}.</li>`)}</ul>`}
${
  worst.length === 0
    ? undefined
    : table({
        caption: 'Files with refused rows or duplicates, those with the most refused first',
        columns: COLUMNS,
        rows: worst,
      })
}
</section>`;
}

function numberOf(files: number): string {
  return files === 0 ? 'none has' : files === 1 ? '1 has' : `${whole(files)} have`;
}

function lateText(late: FilesOfBatch['late'], { plan, ingest }: RunDetail): string {
  const { observedBefore } = plan;
  // A run without new files is about those of the batch before: they were late or not when they came.
  if (ingest.changes === null) return 'They were in the lake already.';
  if (observedBefore === null) return 'It is the first run on this log, so no row came late.';
  if (late === undefined)
    return `No row is of a day before ${day(observedBefore)}, where the log ended for the run before: none came late.`;
  const { events, files, firstDay, lastDay } = late;
  const when = firstDay === lastDay ? day(firstDay) : `days between ${between(firstDay, lastDay)}`;
  return (
    `${counted(events, 'event')} in ${counted(files, 'file')} came late, or again in a corrected file: of ${when}, before ` +
    `${day(observedBefore)}, where the log ended for the run before. ${counted(ingest.daysRecomputed, 'day')} were computed again.`
  );
}

const COLUMNS: readonly TableColumn<FileCounts>[] = [
  { heading: 'File', cell: ({ uri }) => html`<bdi class="id">${uri}</bdi>` },
  { heading: 'Rows read', isNumber: true, cell: ({ rows_read: rows }) => whole(rows) },
  {
    heading: 'Refused',
    isNumber: true,
    cell: ({ rows_quarantined: refused, rows_read: rows }) =>
      html`${whole(refused)}<small>${percent(rows === 0 ? 0 : refused / rows)}</small>`,
  },
  { heading: 'Duplicates', isNumber: true, cell: ({ rows_duplicate: rows }) => whole(rows) },
];
