/** What drives a model, as train-models would say it of 1,000 test users. */
import type { Drivers, FeatureBand } from '../../domain/results.ts';

const band = (
  lowest: number | null,
  highest: number | null,
  users: number,
  cancelled: number,
  predicted = cancelled,
): FeatureBand => ({ lowest, highest, users, cancelled, predicted });

const fall = (value: number, margin: number) => ({
  fall: value,
  least: value - margin,
  most: value + margin,
});

export const DRIVERS: Drivers = {
  users: 1_000,
  auc: 0.763,
  groups: [
    { group: 'enjoyment', ...fall(0.08, 0.01) },
    { group: 'adverts', ...fall(0.04, 0.02) },
    { group: 'device', ...fall(-0.001, 0.002) },
  ],
  features: [
    {
      feature: 'thumbs_down_per_song_last_28_days',
      ...fall(0.06, 0.01),
      correlation: 0.41,
      bands: [band(0, 0.008, 500, 5, 6.1), band(0.009, 0.02, 300, 12, 11.4), band(0.021, 0.2, 200, 23, 21)],
    },
    {
      feature: 'is_paid',
      ...fall(0.02, 0.004),
      correlation: -0.3,
      bands: [band(0, 0, 420, 25, 22.1), band(1, 1, 580, 15, 16.4)],
    },
    {
      feature: 'days_since_level_change',
      ...fall(0.01, 0.004),
      correlation: 0.01,
      bands: [band(1.2, 20, 100, 8, 6), band(21, 60, 100, 4, 5), band(null, null, 800, 28, 30)],
    },
  ],
};
