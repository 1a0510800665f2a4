/** The full name of a table: each deployment has a database of its own, which the plan names. */
import { CATALOG } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { planTypes } from './types.ts';

export const tableName = fragment({
  file: import.meta.url,
  needs: [planTypes],
  constants: python`CATALOG = ${CATALOG}`,
  code: python`
    def table_name(plan: Plan, table: str) -> str:
        """The name by which Spark finds a table, a branch or a metadata table of the lake."""
        return f"{CATALOG}.{plan['database']}.{table}"
  `,
});
