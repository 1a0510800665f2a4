/** Names of segments. */
import { describe, expect, it } from 'vitest';
import { CHANNELS } from '../../../domain/features/channels.ts';
import { segmentNames } from '../../../domain/features/segment-name.ts';

/** A segment whose rates are so many times the usual ones, by channel; the others are usual. */
const segment = (times: Readonly<Record<string, number>>) => ({
  size: 0.2,
  rates: CHANNELS.map(({ count }) => ({ rate: 0.02 * (times[count] ?? 1), usual: 0.02 })),
  freeHazard: 0.05,
  paidHazard: 0.1,
});

describe('segmentNames', () => {
  it('says what is unlike the other users, the strongest first and two things at most', () => {
    expect(
      segmentNames([
        segment({}),
        segment({ thumbs_down: 3.1 }),
        segment({ thumbs_up: 0.34, free_adverts: 1.6 }),
        segment({ thumbs_up: 2, downgrade_visits: 0.5, paid_adverts: 9.2 }),
        segment({ thumbs_down: 0.1 }),
      ]),
    ).toEqual([
      'like most users',
      'dislikes three times as often as usual',
      'likes a third as often as usual, hears adverts while free one and a half times as often as usual',
      'hears adverts while paying 9 times as often as usual, likes twice as often as usual',
      'hardly ever dislikes',
    ]);
  });

  it('tells segments of the same name apart', () => {
    expect(segmentNames([segment({}), segment({ thumbs_up: 1.2 })])).toEqual([
      'like most users',
      'like most users (2)',
    ]);
  });

  it('calls usual what most users do, where more than half are of one segment', () => {
    const most = { ...segment({ thumbs_down: 0.6 }), size: 0.7 };
    expect(segmentNames([most, segment({ thumbs_down: 1.8 })])).toEqual([
      'like most users',
      'dislikes three times as often as usual',
    ]);
  });

  it('has none where users could not be told apart', () => {
    expect(segmentNames([])).toEqual([]);
  });
});
