/** Answers of queries that the state machine ran. */

/** A record of column name and text value; null for SQL's NULL. */
export type AnswerRow = Readonly<Record<string, string | null>>;

export interface SqlEngine {
  /** Rows of a finished query. */
  results(queryExecutionId: string): Promise<readonly AnswerRow[]>;
}
