/**
 * Which files the rows came in: those with refused rows, for which reasons, with adapted rows and duplicates, those that came
 * late, and those that were not read.
 */
import { ADAPTATIONS } from '../../../domain/adaptations.ts';
import type { FileCounts } from '../../../domain/lake-objects.ts';
import { passedOverText } from '../../../domain/listing.ts';
import type { RunDetail } from '../../../domain/records.ts';
import type { RefusedFile } from '../../../domain/results.ts';
import { adaptedIn, type FilesOfBatch } from '../files-of-batch.ts';
import { between, counted, day, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { type TableColumn, table } from '../html-table.ts';

/** Undefined where the ledger was not read, and in a run without new files. */
export function filesSection(detail: RunDetail, files: FilesOfBatch | undefined): Html | undefined {
  const { plan, ingest } = detail;
  if (files === undefined || plan.batch.files.length === 0) return undefined;
  const { worst, withRefused, withDuplicates, withAdapted, late } = files;
  const passedOver = [...(plan.listing?.passedOver ?? []), ...(ingest.passedOver ?? [])];
  return html`<section class="long" id="files">
<h2>Which files they came in</h2>
<p>${counted(plan.batch.files.length, 'file')} of this run: ${numberOf(withRefused)} refused rows, ${numberOf(withAdapted)} adapted rows, ${numberOf(withDuplicates)} duplicates.
${lateText(late, detail)}</p>
${passedOver.length === 0 ? undefined : html`<ul>${passedOver.map((one) => html`<li>${passedOverText(one)}.</li>`)}</ul>`}
${
  worst.length === 0
    ? undefined
    : table({
        caption: 'Files with refused, adapted or duplicate rows, those with the most refused first',
        columns: COLUMNS,
        rows: worst,
      })
}
${refusedTable(ingest.refusedFiles ?? [])}
</section>`;
}

/** Each file with each of its reasons. Of a line it shows what may leave the raw log, and nothing else. */
function refusedTable(files: readonly RefusedFile[]): Html | undefined {
  if (files.length === 0) return undefined;
  const rows = files.flatMap(({ file, reasons, examples }) =>
    Object.entries(reasons)
      .toSorted(([, a], [, b]) => b - a)
      .map(([reason, count]) => ({
        file,
        reason,
        count,
        line: examples.find((example) => example.reason === reason)?.line,
      })),
  );
  return table({
    caption: 'Why rows of these files were refused, with what is kept of one of them',
    columns: [
      { heading: 'File', cell: ({ file }) => html`<bdi class="id">${file}</bdi>` },
      { heading: 'Reason', cell: ({ reason }) => html`<span class="id">${reason}</span>` },
      { heading: 'Rows', isNumber: true, cell: ({ count }) => whole(count) },
      {
        heading: 'Example',
        cell: ({ line }) =>
          line === undefined
            ? 'nothing is kept'
            : html`<details><summary>Show</summary><pre>${line}</pre></details>`,
      },
    ],
    rows,
  });
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
  { heading: 'Adapted', isNumber: true, cell: adaptedCell },
  { heading: 'Duplicates', isNumber: true, cell: ({ rows_duplicate: rows }) => whole(rows) },
];

/** How many rows were adapted, and below it how; a row can have been adapted in several ways. */
function adaptedCell(file: FileCounts): Html {
  const by = adaptedIn(file);
  const ways = ADAPTATIONS.flatMap(({ code, meaning }) =>
    by[code] === undefined ? [] : [html`<small>${meaning}: ${whole(by[code])}</small>`],
  );
  return html`${whole(file.rows_adapted)}${ways}`;
}
