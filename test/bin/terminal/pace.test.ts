import { describe, expect, it, vi } from 'vitest';
import { ProgressLine, remaining, remainingText, StagePace } from '../../../bin/terminal/pace.ts';

describe('an estimate of what remains', () => {
  it('goes on as it has gone so far', () => {
    expect(remaining(10_000, 0.25)).toBe(30_000);
    expect(remainingText(10_000, 0.25)).toBe('about 30 s left');
    expect(remainingText(60_000, 0.1)).toBe('about 9 min left');
  });

  it.each([
    ['at the beginning', 1_000, 0.5],
    ['when almost nothing is done', 60_000, 0.01],
    ['at the end', 60_000, 1],
  ])('says nothing %s', (_, elapsed, share) => {
    expect(remainingText(elapsed, share)).toBeUndefined();
  });
});

describe('the pace of a stage', () => {
  it('has rows read, rows per second and the time that remains', () => {
    const pace = new StagePace();
    expect(pace.text({ stage: 3, tasksDone: 0, tasks: 80 }, 0)).toBe('Spark stage 3: 0 of 80 tasks');
    expect(pace.text({ stage: 3, tasksDone: 20, tasks: 80, rowsRead: 1_000_000 }, 10_000)).toBe(
      'Spark stage 3: 20 of 80 tasks, 1,000,000 rows read, 100,000 per second, about 30 s left of this stage',
    );
  });

  it('begins again with each stage', () => {
    const pace = new StagePace();
    pace.text({ stage: 3, tasksDone: 20, tasks: 80 }, 0);
    expect(pace.text({ stage: 4, tasksDone: 40, tasks: 80, rowsRead: 5 }, 60_000)).toBe(
      'Spark stage 4: 40 of 80 tasks, 5 rows read',
    );
  });
});

it('draws nothing where there is no terminal', () => {
  const written: string[] = [];
  const stream = Object.assign(Object.create(process.stderr), {
    isTTY: false,
    write: (text: string) => written.push(text) > 0,
  });
  const line = new ProgressLine(stream);
  line.show('2018-10-01', 0.5);
  line.clear();
  expect(written).toEqual([]);
});

it('shows on a terminal for how long work of unknown length has gone on, and leaves nothing behind', async () => {
  vi.useFakeTimers();
  try {
    const written: string[] = [];
    const stream = Object.assign(Object.create(process.stderr), {
      isTTY: true,
      write: (text: string) => written.push(text) > 0,
    });
    const working = new ProgressLine(stream).during('Asking the lake', async () => {
      await new Promise((resolve) => setTimeout(resolve, 2_600));
      return 'rows';
    });
    await vi.advanceTimersByTimeAsync(2_600);
    expect(await working).toBe('rows');
    expect(written.at(-2)).toMatch(/^\rAsking the lake, 2\.5 s *$/);
    expect(written.at(-1)).toMatch(/^\r +\r$/);
  } finally {
    vi.useRealTimers();
  }
});
