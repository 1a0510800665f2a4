/** Each user's days with their spells, in Spark. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { daysSql } from './spells.ts';
import { sqlText } from './sql.ts';

export const daysWithSpells = fragment({
  file: import.meta.url,
  imports: ['from pyspark.sql import DataFrame'],
  constants: python`
    DAYS_WITH_SPELLS = ${sqlText(daysSql({ from: '{user_days}' }))}
  `,
  code: python`
    def days_with_spells(user_days: DataFrame) -> DataFrame:
        """The days, with what they say about the spells of their users."""
        return user_days.sparkSession.sql(DAYS_WITH_SPELLS, user_days=user_days)
  `,
});
