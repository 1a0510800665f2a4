/**
 * Every place of the lake that may hold the id of a user: one list. Forgetting a user, removing what has had its time and
 * proving that a user is forgotten all walk it; a test looks for a planted id in everything else that a run leaves.
 */
import { FEATURES_TABLE, SCORING_FEATURES_TABLE } from './features/features-table.ts';
import {
  EVENTS,
  QUARANTINE_RETENTION_DAYS,
  QUARANTINED_EVENTS,
  REPEATED_EVENTS,
  SCORES,
  type Table,
  USER_DAYS,
} from './lake.ts';
import type { ObjectKind } from './lake-object.ts';
import { CAMPAIGN, CAMPAIGN_TAG, REPORT, RUN_DETAIL, STEP_ERROR, STEP_RESULT } from './lake-objects.ts';

/** How long a place keeps what it holds. */
export type Kept =
  | { readonly kind: 'for good' }
  | { readonly kind: 'days'; readonly days: number }
  /** Until its run has had its time: see retention.ts. */
  | { readonly kind: 'with its run' }
  /** So many days as a setting of the deployment says; objects are found by their tag. */
  | {
      readonly kind: 'setting';
      readonly setting: 'campaignDays';
      readonly tag: { readonly key: string; readonly value: string };
    };

export interface TablePlace {
  readonly table: Table;
  /** Column that is the id, or text that may mention it. */
  readonly column: string;
  /**
   * `deleted`: by statements that `churn forget` prints. `rewritten`: by the next run. `expires`: nothing is done, because
   * its rows are not kept for long.
   */
  readonly forgotten: 'deleted' | 'rewritten' | 'expires';
  readonly kept: Kept;
}

export interface ObjectPlace {
  readonly object: ObjectKind<unknown>;
  /** How an object mentions a user: in lines or in entries, which `churn forget` takes out; as a page or a text, it is removed. */
  readonly mentions: 'lines' | 'entries' | 'page' | 'text';
  readonly kept: Kept;
}

const FOR_GOOD: Kept = { kind: 'for good' };
const WITH_ITS_RUN: Kept = { kind: 'with its run' };

export const TABLE_PLACES: readonly TablePlace[] = [
  { table: EVENTS, column: 'user_id', forgotten: 'deleted', kept: FOR_GOOD },
  { table: REPEATED_EVENTS, column: 'user_id', forgotten: 'deleted', kept: FOR_GOOD },
  { table: SCORES, column: 'user_id', forgotten: 'deleted', kept: WITH_ITS_RUN },
  { table: USER_DAYS, column: 'user_id', forgotten: 'rewritten', kept: FOR_GOOD },
  { table: FEATURES_TABLE, column: 'user_id', forgotten: 'rewritten', kept: FOR_GOOD },
  { table: SCORING_FEATURES_TABLE, column: 'user_id', forgotten: 'rewritten', kept: FOR_GOOD },
  {
    table: QUARANTINED_EVENTS,
    column: 'line',
    forgotten: 'expires',
    kept: { kind: 'days', days: QUARANTINE_RETENTION_DAYS },
  },
];

export const OBJECT_PLACES: readonly ObjectPlace[] = [
  {
    object: CAMPAIGN,
    mentions: 'lines',
    kept: { kind: 'setting', setting: 'campaignDays', tag: CAMPAIGN_TAG },
  },
  // The users most at risk, and examples of refused rows.
  { object: STEP_RESULT['score-users'], mentions: 'entries', kept: WITH_ITS_RUN },
  { object: STEP_RESULT['ingest-events'], mentions: 'entries', kept: WITH_ITS_RUN },
  { object: RUN_DETAIL, mentions: 'entries', kept: WITH_ITS_RUN },
  { object: STEP_ERROR['ingest-events'], mentions: 'text', kept: WITH_ITS_RUN },
  { object: REPORT, mentions: 'page', kept: WITH_ITS_RUN },
];

/** The places whose objects are removed after the days of a setting. */
export const EXPIRING_PLACES = OBJECT_PLACES.flatMap(({ object, kept }) =>
  kept.kind === 'setting' ? [{ object, setting: kept.setting, tag: kept.tag }] : [],
);
