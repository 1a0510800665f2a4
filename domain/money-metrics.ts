/** What a run's model and list are worth, by the terms of its deployment. Pure functions. */
import { expectedMaximumProfit } from './empc.ts';
import { livingBins } from './living-bins.ts';
import { bestPoint, listOf, profitCurve, type UserBin } from './money.ts';
import type { RunDetail } from './records.ts';
import type { Estimate } from './results.ts';
import { scoringEvaluation } from './scoring-evaluation.ts';

/** Names are stored. `money.empc` and the best share are of the test users, whose outcome is known; the list's are expected. */
export const MONEY_METRICS = [
  'money.empc',
  'money.best_share',
  'money.list_users',
  'money.list_profit',
] as const;
export type MoneyMetricName = (typeof MONEY_METRICS)[number];

/** The figures that there are: none of the test where nothing was tested, none of the list where there is none. */
export function moneyMetrics(
  detail: Pick<RunDetail, 'training' | 'choice' | 'scoring' | 'plan'>,
): readonly (readonly [MoneyMetricName, Estimate])[] {
  const { terms } = detail.plan.scoring;
  const alone = (value: number): Estimate => ({ value, low: null, high: null });
  const curve = scoringEvaluation(detail)?.curve ?? [];
  const tested: readonly UserBin[] = curve.map(({ users, cancelled }) => ({ users, expected: cancelled }));
  const total = tested.reduce((sum, { users }) => sum + users, 0);
  const bins = livingBins(detail.scoring);
  const list = listOf(bins, terms);
  // The band of the curve at the point nearest to the list.
  const point = profitCurve(bins, terms).find(({ users }) => users >= list.users);
  return [
    ...(total === 0
      ? []
      : [
          ['money.empc', alone(expectedMaximumProfit(tested, terms))] as const,
          ['money.best_share', alone(bestPoint(profitCurve(tested, terms)).users / total)] as const,
        ]),
    ...(detail.scoring.campaign == null
      ? []
      : [
          ['money.list_users', alone(list.users)] as const,
          [
            'money.list_profit',
            { value: list.profit, low: point?.low ?? null, high: point?.high ?? null },
          ] as const,
        ]),
  ];
}
