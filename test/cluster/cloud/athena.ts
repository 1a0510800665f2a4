/** An emulated Athena: runs a query to its end, and stores the result as Athena does. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type EmulatedService, ServiceError } from './gateway.ts';

export interface QueryAnswer {
  readonly columns: readonly string[];
  /** Values as text. */
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Runs SQL with the permissions of the caller of StartQueryExecution. */
export type QueryEngine = (sql: string, database: string) => Promise<QueryAnswer>;

interface Query {
  readonly sql: string;
  readonly workgroup: string;
  state: 'RUNNING' | 'SUCCEEDED' | 'FAILED';
  reason: string;
  answer: QueryAnswer;
}

const startSchema = z.looseObject({
  QueryString: z.string(),
  WorkGroup: z.string(),
  QueryExecutionContext: z.looseObject({ Database: z.string() }),
});
const idSchema = z.looseObject({ QueryExecutionId: z.string() });

/** @param keep stores the result of a query under its id, as CSV */
export function emulatedAthena(
  engine: QueryEngine,
  keep: (id: string, csv: string) => Promise<void>,
): EmulatedService {
  const queries = new Map<string, Query>();
  const find = (request: unknown): Query => {
    const { QueryExecutionId: id } = idSchema.parse(request);
    const query = queries.get(id);
    if (query === undefined)
      throw new ServiceError('InvalidRequestException', `QueryExecution ${id} was not found`);
    return query;
  };
  return async (operation, request) => {
    switch (operation) {
      case 'StartQueryExecution': {
        const { QueryString: sql, WorkGroup: workgroup, QueryExecutionContext } = startSchema.parse(request);
        const id = randomUUID();
        const query: Query = {
          sql,
          workgroup,
          state: 'RUNNING',
          reason: '',
          answer: { columns: [], rows: [] },
        };
        queries.set(id, query);
        void engine(sql, QueryExecutionContext.Database)
          .then(async (answer) => {
            await keep(id, csvOf(answer));
            Object.assign(query, { answer, state: 'SUCCEEDED' });
          })
          .catch((error: unknown) => Object.assign(query, { reason: String(error), state: 'FAILED' }));
        return { QueryExecutionId: id };
      }
      case 'GetQueryExecution': {
        const { sql, workgroup, state, reason } = find(request);
        const { QueryExecutionId } = idSchema.parse(request);
        const Status = { State: state, StateChangeReason: reason };
        return { QueryExecution: { QueryExecutionId, Query: sql, WorkGroup: workgroup, Status } };
      }
      case 'GetQueryResults': {
        const { answer } = find(request);
        const row = (values: readonly (string | null)[]) => ({
          Data: values.map((value) => (value === null ? {} : { VarCharValue: value })),
        });
        return {
          ResultSet: {
            Rows: [answer.columns, ...answer.rows].map(row),
            ResultSetMetadata: { ColumnInfo: answer.columns.map((Name) => ({ Name, Type: 'varchar' })) },
          },
        };
      }
      default:
        throw new Error(`the emulated Athena does not know ${operation}`);
    }
  };
}

function csvOf({ columns, rows }: QueryAnswer): string {
  const line = (values: readonly (string | null)[]): string =>
    `${values.map((value) => (value === null ? '' : `"${value.replaceAll('"', '""')}"`)).join(',')}\n`;
  return [columns, ...rows].map(line).join('');
}
