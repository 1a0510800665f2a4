/** What an analyst asks first, ready in Athena's list of saved queries. */
import { DRIFT_METRIC_PREFIX } from './drift-thresholds.ts';
import { USER_AUTHS } from './events.ts';
import {
  DRIVERS,
  EVENTS,
  EXPLORATION,
  FEATURE_RANGES,
  HAZARDS,
  HOMOGENEITY,
  MODEL_METRICS,
  OUTCOMES,
  PAGE_DAYS,
  QUARANTINED_EVENTS,
  RUNS,
  SCORES,
  SEGMENTS,
  SURVIVAL,
  type Table,
  USER_DAYS,
} from './lake.ts';
import { metricsShownIn } from './metrics.ts';

export interface NamedQuery {
  readonly name: string;
  readonly description: string;
  readonly sql: string;
}

/** The run whose scores are current: the last that succeeded. */
const CURRENT_RUN = `(SELECT max_by(run_id, ended_at) FROM ${RUNS.name} WHERE status = 'SUCCEEDED')`;

/** The last run that succeeded and has rows in a table: not every run trains. */
function lastRunIn({ name }: Pick<Table, 'name'>): string {
  return `(SELECT max_by(run_id, ended_at) FROM ${RUNS.name}
  WHERE status = 'SUCCEEDED' AND run_id IN (SELECT run_id FROM ${name}))`;
}

/** A column, under its name, for each metric that the report shows for every model. */
const MAIN_FIGURES = metricsShownIn('report models')
  .map(({ name }) => `max(CASE WHEN figures.metric = '${name}' THEN figures.value END) AS ${name}`)
  .join(',\n  ');

export const NAMED_QUERIES: readonly NamedQuery[] = [
  {
    name: 'users-at-risk-now',
    description: 'The 1,000 users most at risk, whom a campaign may contact, with the reasons',
    sql: `SELECT user_id, probability, decile, level, array_join(reasons, '; ') AS reasons
FROM ${SCORES.name}
WHERE run_id = ${CURRENT_RUN} AND NOT in_control_group
ORDER BY rank
LIMIT 1000`,
  },
  {
    name: 'model-history',
    description: 'Every run: its model, whether it replaced the champion and why, and its main figures',
    sql: `SELECT runs.ended_at, runs.run_id, runs.model, runs.promoted, runs.promotion_reason, runs.cost_usd,
  ${MAIN_FIGURES}
FROM ${RUNS.name} AS runs
LEFT JOIN ${MODEL_METRICS.name} AS figures
  ON figures.run_id = runs.run_id AND figures.model = runs.model
  AND figures.protocol = 'forward' AND figures.slice = 'all'
WHERE runs.status = 'SUCCEEDED'
GROUP BY runs.ended_at, runs.run_id, runs.model, runs.promoted, runs.promotion_reason, runs.cost_usd
ORDER BY runs.ended_at DESC`,
  },
  {
    name: 'drift-history',
    description: 'Every run: the population stability index of each feature and of the score, largest first',
    sql: `SELECT runs.ended_at, runs.run_id, substr(figures.metric, ${DRIFT_METRIC_PREFIX.length + 1}) AS column_name,
  figures.value AS population_stability_index
FROM ${RUNS.name} AS runs
JOIN ${MODEL_METRICS.name} AS figures ON figures.run_id = runs.run_id
WHERE runs.status = 'SUCCEEDED' AND figures.metric LIKE '${DRIFT_METRIC_PREFIX}%'
ORDER BY runs.ended_at DESC, population_stability_index DESC`,
  },
  {
    name: 'model-by-part-of-the-users',
    description: 'The last run: how each model did on each part of the test users, with intervals',
    sql: `SELECT model, slice, metric, value, low, high
FROM ${MODEL_METRICS.name}
WHERE run_id = (SELECT max_by(run_id, ended_at) FROM ${RUNS.name}
  WHERE status = 'SUCCEEDED' AND run_id IN (
    SELECT run_id FROM ${MODEL_METRICS.name} WHERE protocol = 'forward' AND slice <> 'all'))
  AND protocol = 'forward' AND slice <> 'all'
ORDER BY model, slice, metric`,
  },
  {
    name: 'what-drives-the-model',
    description:
      'The last model that was trained: by how much its AUC falls without each feature and group, and directions',
    sql: `SELECT model, kind, name, fall, low, high, correlation
FROM ${DRIVERS.name}
WHERE run_id = ${lastRunIn(DRIVERS)}
ORDER BY kind DESC, fall DESC`,
  },
  {
    name: 'churn-across-features',
    description: 'Share of test users who cancelled, by the value of each leading feature, with intervals',
    sql: `SELECT feature, band, lowest, highest, users, cancelled, rate, low, high, predicted
FROM ${FEATURE_RANGES.name}
WHERE run_id = ${lastRunIn(FEATURE_RANGES)}
ORDER BY feature, band`,
  },
  {
    name: 'segments-now',
    description:
      'Users who behave alike: how many, how they differ from the others, and how many of them cancel',
    sql: `SELECT segment, name, size, free_hazard, paid_hazard, channel, rate, usual_rate
FROM ${SEGMENTS.name}
WHERE run_id = ${lastRunIn(SEGMENTS)}
ORDER BY segment, channel`,
  },
  {
    name: 'who-leaves',
    description:
      'Users who cancelled and users who stayed, by subscription, gender, device, tenure and state',
    sql: `SELECT name AS variable, value, churned, stayed, rate, low, high
FROM ${EXPLORATION.name}
WHERE run_id = ${lastRunIn(EXPLORATION)} AND kind = 'group'
ORDER BY variable, rate DESC, value`,
  },
  {
    name: 'what-users-did',
    description:
      'What users who cancelled did beside those who stayed: measures, pages per hour of use, days of the week, hours of the day',
    sql: `SELECT kind, name, value, churned, stayed
FROM ${EXPLORATION.name}
WHERE run_id = ${lastRunIn(EXPLORATION)} AND kind <> 'group'
ORDER BY kind, name, value`,
  },
  {
    name: 'how-long-users-stay',
    description:
      'Share of users who are still there, by days since registration (Kaplan-Meier with delayed entry)',
    sql: `SELECT variable, value, day, at_risk, cancelled, survival, low, high
FROM ${SURVIVAL.name}
WHERE run_id = ${lastRunIn(SURVIVAL)}
ORDER BY variable, value, day`,
  },
  {
    name: 'on-which-days-users-leave',
    description:
      'How likely a user is to cancel on a day, by day of the week and by days since the last change of subscription',
    sql: `SELECT variable, value, users, days, cancelled, hazard, low, high
FROM ${HAZARDS.name}
WHERE run_id = ${lastRunIn(HAZARDS)}
ORDER BY variable, hazard DESC, value`,
  },
  {
    name: 'is-a-sample-enough',
    description:
      'How samples of the users differ from all others, feature by feature, the least probable first',
    sql: `SELECT sample, users, others, feature, test, distance, p_value, adjusted_p_value, smallest_found
FROM ${HOMOGENEITY.name}
WHERE run_id = ${lastRunIn(HOMOGENEITY)}
ORDER BY sample, p_value, feature`,
  },
  {
    name: 'what-came-true',
    description:
      'Every run whose horizon has passed: predicted and observed by tenth, of the list and of the control group, with the effect',
    sql: `SELECT cutoff, run_id, part, decile, users, predicted, observed, predicted / nullif(observed, 0) AS predicted_over_observed,
  effect, effect_low, effect_high, smallest_effect
FROM ${OUTCOMES.name}
ORDER BY cutoff DESC, run_id, part, decile`,
  },
  {
    name: 'pages-by-day',
    description:
      'How often each page came on each day, and how many of these events were of nobody who was signed in',
    sql: `SELECT day, page, sum(events) AS events,
  sum(CASE WHEN auth IN (${USER_AUTHS.map((auth) => `'${auth}'`).join(', ')}) THEN 0 ELSE events END) AS signed_out_events
FROM ${PAGE_DAYS.name}
GROUP BY day, page
ORDER BY day, page`,
  },
  {
    name: 'churn-by-day-and-level',
    description: 'Active users, cancellations and their share, by day and subscription',
    sql: `SELECT day, level, count(*) AS active_users, sum(cancellations) AS cancellations,
  CAST(sum(cancellations) AS double) / count(*) AS share_cancelled
FROM ${USER_DAYS.name}
GROUP BY day, level
ORDER BY day, level`,
  },
  {
    name: 'quarantine-by-reason',
    description: 'Refused rows of the last 30 days by reason, with a file to look at',
    sql: `SELECT ingest_date, reason, count(*) AS refused_rows, min(source_file) AS example_file
FROM ${QUARANTINED_EVENTS.name}
GROUP BY ingest_date, reason
ORDER BY ingest_date DESC, refused_rows DESC`,
  },
  {
    name: 'journey-of-a-user',
    description: 'All events of one user in order; Athena asks for the user id',
    sql: `SELECT event_time, session_id, item_in_session, page, level, artist, song, status
FROM ${EVENTS.name}
WHERE user_id = ?
ORDER BY event_time, session_id, item_in_session`,
  },
];
