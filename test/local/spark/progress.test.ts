import { describe, expect, it } from 'vitest';
import { ProgressSplitter, readProgress, type SparkProgress } from '../../../local/spark/progress.ts';

describe("Spark's progress bar", () => {
  it('shows the newest stage and its tasks', () => {
    expect(readProgress('[Stage 3:=====>                (12 + 2) / 64]')).toEqual({
      stage: 3,
      tasksDone: 12,
      tasks: 64,
    });
    expect(readProgress('[Stage 3:===>(12 + 2) / 64][Stage 7:>  (0 + 0) / 8]')?.stage).toBe(7);
    expect(readProgress('10:00:00 WARN [Stage 3] failed')).toBeUndefined();
  });

  it('is kept out of the log, however the output is split', () => {
    const output =
      'starting\r[Stage 0:>      (0 + 2) / 8]\r[Stage 0:===>   (4 + 2) / 8]\r                       \r' +
      '10:00:00 WARN X: careful\n\nTraceback\r\nlast line';
    for (const size of [1, 3, 7, output.length]) {
      const lines: string[] = [];
      const progress: SparkProgress[] = [];
      const splitter = new ProgressSplitter(
        (step) => progress.push(step),
        (line) => lines.push(line),
      );
      for (let at = 0; at < output.length; at += size) splitter.push(output.slice(at, at + size));
      splitter.end();
      expect(lines).toEqual(['starting', '10:00:00 WARN X: careful', '', 'Traceback', 'last line']);
      expect(progress.map(({ tasksDone }) => tasksDone)).toEqual([0, 4]);
    }
  });

  it('is reported before anything follows it', () => {
    const progress: SparkProgress[] = [];
    const splitter = new ProgressSplitter(
      (step) => progress.push(step),
      () => {},
    );
    splitter.push('\r[Stage 1:>   (1 + 1) / 2]');
    expect(progress).toHaveLength(1);
  });

  it('has the rows of its stage, and not those of another', () => {
    const progress: SparkProgress[] = [];
    const lines: string[] = [];
    const splitter = new ProgressSplitter(
      (step) => progress.push(step),
      (line) => lines.push(line),
    );
    splitter.push('\r[Rows of stage 1: 500]\r\r[Stage 1:>   (1 + 1) / 2]\r[Rows of stage 1: 900]\r');
    splitter.push('\r[Stage 2:>   (0 + 1) / 2]\r[Rows of stage 1: 950]\r');
    splitter.end();
    expect(progress.map(({ stage, rowsRead }) => [stage, rowsRead])).toEqual([
      [1, 500],
      [1, 900],
      [2, undefined],
    ]);
    expect(lines).toEqual([]);
  });
});
