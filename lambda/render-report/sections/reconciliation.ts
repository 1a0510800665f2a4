/** Whether what is in the lake is what the steps say they have written. */
import type { RunDetail } from '../../../domain/records.ts';
import { whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';

export function reconciliationSection({ reconciliation }: RunDetail): Html {
  return html`<section id="reconciliation">
<h2>Do the counts agree?</h2>
<p>They do: a run whose counts differ fails, and has no report. The rows in the lake were counted by a query, independently of Spark.</p>
${table({
  caption: 'Reconciliation: rows counted in the lake, and rows that the steps counted',
  columns: [
    { heading: 'Table or column', cell: ({ table: name }) => html`<span class="id">${name}</span>` },
    { heading: 'In the lake', isNumber: true, cell: ({ counted }) => whole(counted) },
    { heading: 'By the steps', isNumber: true, cell: ({ expected }) => whole(expected) },
  ],
  rows: reconciliation,
})}
</section>`;
}
