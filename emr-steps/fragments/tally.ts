/** Counting rows by a whole number while a job runs. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';

export const tally = fragment({
  file: import.meta.url,
  imports: [
    'import collections',
    'import json',
    'from pyspark.sql import Column',
    'from pyspark.sql import functions as F',
  ],
  code: python`
    def tally(numbers: str, bins: int) -> Column:
        """Counts rows by a whole number within an observation, as JSON.

        Spark observes plain aggregates only; a histogram that has a bin for every value counts exactly. Where it joins
        equal values of several tasks, their mean can be off in the last digit: so it is given fractions, which it
        does not cut off, and is rounded when it is read.
        """
        return F.to_json(F.expr(f"HISTOGRAM_NUMERIC(DOUBLE({numbers}), {max(bins, 2)})"))


    def counts_of(histogram: str | None) -> collections.Counter[int]:
        """Reads a tally; a value can be in several bins."""
        counts: collections.Counter[int] = collections.Counter()
        for bin in json.loads(histogram or "[]"):
            counts[round(bin["x"])] += round(bin["y"])
        return counts
  `,
});
