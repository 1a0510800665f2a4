/** Local counterpart of Athena: DuckDB over the same tables. */
import { z } from 'zod';
import type { DuckDbEngine } from '../adapters/duckdb-engine.ts';
import { type TaskHandlers, taskFailed } from '../interpreter/task.ts';
import { checkedParameters } from './parameters.ts';

const startQuerySchema = z.looseObject({ QueryString: z.string() });

/** Handler of startQueryExecution: runs the query to completion. */
export function athena(engine: Pick<DuckDbEngine, 'start'>): TaskHandlers {
  return {
    'athena:startQueryExecution.sync': async (parameters) => {
      const { QueryString: sql } = checkedParameters(startQuerySchema, parameters, 'startQueryExecution');
      try {
        const queryExecutionId = await engine.start(sql);
        return {
          QueryExecution: { QueryExecutionId: queryExecutionId, Query: sql, Status: { State: 'SUCCEEDED' } },
        };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw taskFailed({
          QueryExecution: { Query: sql, Status: { State: 'FAILED', StateChangeReason: reason } },
        });
      }
    },
  };
}
