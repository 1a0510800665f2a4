/** Who leaves, as train-models would say it of some 1,160 users. */
import {
  EXPLORED_MEASURES,
  EXPLORED_PAGES,
  EXPLORED_QUANTILES,
  HOURS,
  WEEKDAYS,
} from '../../domain/exploration.ts';
import { HAZARD_VARIABLES } from '../../domain/hazards.ts';
import type { Exploration, SurvivalCurve } from '../../domain/results.ts';

function curve(grouping: SurvivalCurve['grouping'], value: string, hazard: number): SurvivalCurve {
  return {
    grouping,
    value,
    users: 400,
    points: Array.from({ length: 20 }, (_, index) => {
      const survival = Math.exp(-hazard * (index + 1));
      return {
        day: 7 * (index + 1),
        atRisk: 20 * (20 - index) - 5,
        cancelled: 3,
        survival,
        low: survival * 0.9,
        high: Math.min(1, survival * 1.08),
      };
    }),
  };
}

export const EXPLORATION: Exploration = {
  churned: 200,
  stayed: 960,
  groups: [
    { variable: 'level', value: 'free', churned: 120, stayed: 480 },
    { variable: 'level', value: 'paid', churned: 80, stayed: 480 },
    { variable: 'gender', value: 'F', churned: 110, stayed: 470 },
    { variable: 'gender', value: 'M', churned: 90, stayed: 490 },
    { variable: 'device', value: 'Windows', churned: 120, stayed: 500 },
    { variable: 'device', value: 'Mac', churned: 75, stayed: 445 },
    { variable: 'device', value: 'Linux', churned: 5, stayed: 10 },
    { variable: 'state', value: 'CA', churned: 40, stayed: 200 },
    { variable: 'state', value: 'NY', churned: 30, stayed: 70 },
    { variable: 'state', value: 'RI', churned: 5, stayed: 10 },
    { variable: 'state', value: '<b>', churned: 20, stayed: 100 },
    { variable: 'tenure', value: '2 to 4 weeks', churned: 90, stayed: 60 },
    { variable: 'tenure', value: '4 to 8 weeks', churned: 110, stayed: 900 },
  ],
  measures: EXPLORED_MEASURES.map(({ name }, index) => ({
    name,
    churned: EXPLORED_QUANTILES.map((quantile) => quantile * (index + 2)),
    stayed: EXPLORED_QUANTILES.map((quantile) => quantile * (index + 1)),
  })),
  pages: EXPLORED_PAGES.map(({ column }, index) => ({
    name: column,
    churned: 0.2 + index / 20,
    stayed: index === 3 ? 0 : 0.5,
  })),
  weekdays: WEEKDAYS.map((name) => ({ name, churned: 1 / 7, stayed: 1 / 7 })),
  hours: HOURS.map((hour) => ({ name: String(hour), churned: hour / 276, stayed: 1 / 24 })),
  survival: [curve('all', 'all', 0.02), curve('level', 'free', 0.03), curve('level', 'paid', 0.01)],
  // On no same day was anybody at risk.
  hazards: HAZARD_VARIABLES.flatMap(({ name, values }) =>
    values.map((value, index) =>
      value === 'same day'
        ? { variable: name, value, users: 0, days: 0, cancelled: 0 }
        : { variable: name, value, users: 1_100 - index, days: 8_000, cancelled: 20 + 4 * index },
    ),
  ),
};
