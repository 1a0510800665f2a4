/** How yes-or-no features ask their question in Spark SQL. */
import type { Test } from './measure.ts';
import { sqlString, wrapped } from './sql.ts';

/** The question as a Boolean expression over a column that may be null. */
export function testSql(column: string, test: Test): string {
  switch (test.kind) {
    case 'equals':
      return `${column} = ${sqlString(test.value)}`;
    case 'contains': {
      const holds = (text: string): string => `CONTAINS(${column}, ${sqlString(text)})`;
      const any = test.texts.map(holds).join('\n    OR ');
      const none = (test.without ?? []).map((text) => `\n    AND NOT ${holds(text)}`).join('');
      return test.texts.length > 1 && none !== '' ? `(${any})${none}` : `${any}${none}`;
    }
    case 'state in':
      return (
        `REGEXP_EXTRACT(${column}, ', ([A-Z]{2})', 1) IN (\n` +
        `    ${wrapped(test.states.map(sqlString), '    ')}\n  )`
      );
  }
}
