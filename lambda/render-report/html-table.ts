/** Tables of the report: captioned, with row and column headers. */
import { type Html, html } from './html.ts';

export interface TableColumn<Row> {
  readonly heading: string | Html;
  readonly cell: (row: Row, index: number) => string | Html;
  /** Aligned to the right. */
  readonly isNumber?: boolean;
}

export interface TableProps<Row> {
  readonly caption: string | Html;
  /** The first column holds the row headers. */
  readonly columns: readonly TableColumn<Row>[];
  readonly rows: readonly Row[];
  readonly isChosen?: (row: Row) => boolean;
}

export function table<Row>({ caption, columns, rows, isChosen }: TableProps<Row>): Html {
  const side = (column: TableColumn<Row>): Html =>
    column.isNumber === true ? html` class="number"` : html``;
  const heads = columns.map((column) => html`<th scope="col"${side(column)}>${column.heading}</th>`);
  const lines = rows.map((row, index) => {
    const cells = columns.map((column, at) =>
      at === 0
        ? html`<th scope="row"${side(column)}>${column.cell(row, index)}</th>`
        : html`<td${side(column)}>${column.cell(row, index)}</td>`,
    );
    return html`<tr${isChosen?.(row) === true ? html` class="chosen"` : ''}>${cells}</tr>`;
  });
  return html`<div class="scroll"><table>
<caption>${caption}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${lines}
</tbody>
</table></div>`;
}
