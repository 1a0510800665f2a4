/** The SqlEngine port over Athena: answers of queries that the state machine ran. */
import { type AthenaClient, paginateGetQueryResults, type ResultSet } from '@aws-sdk/client-athena';
import type { AnswerRow, SqlEngine } from '../ports/sql.ts';

export class AthenaSql implements SqlEngine {
  readonly #client: AthenaClient;

  constructor(client: AthenaClient) {
    this.#client = client;
  }

  async results(queryExecutionId: string): Promise<readonly AnswerRow[]> {
    const rows: AnswerRow[] = [];
    let columns: readonly string[] | undefined;
    const pages = paginateGetQueryResults({ client: this.#client }, { QueryExecutionId: queryExecutionId });
    for await (const page of pages) {
      // The first row of the first page repeats the columns' names.
      const skipped = columns === undefined ? 1 : 0;
      columns ??= columnNames(page.ResultSet);
      rows.push(...answerRows(page.ResultSet, columns).slice(skipped));
    }
    return rows;
  }
}

function columnNames(answer: ResultSet | undefined): readonly string[] {
  return (answer?.ResultSetMetadata?.ColumnInfo ?? []).map((column) => column.Name ?? '');
}

function answerRows(answer: ResultSet | undefined, columns: readonly string[]): AnswerRow[] {
  return (answer?.Rows ?? []).map((row) =>
    Object.fromEntries(columns.map((column, index) => [column, row.Data?.[index]?.VarCharValue ?? null])),
  );
}
