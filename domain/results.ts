/** What the Spark steps write: each writes its result or, when it fails, its error. Each is a zod schema. */
import { z } from 'zod';
import { ADAPTATIONS } from './adaptations.ts';
import { REFUSAL_REASONS } from './events.ts';
import { EXPLORED_VARIABLES, SURVIVAL_GROUPINGS } from './exploration.ts';
import { count, isoDate, uri } from './fields.ts';
import { FINDING_KINDS } from './findings.ts';
import { HAZARD_VARIABLES } from './hazards.ts';
import { SAMPLE_TESTS, USER_SAMPLES } from './homogeneity.ts';
import { leftOutSchema, passedOverSchema } from './listing.ts';
import { METRICS, MODELS, THRESHOLD_RULES } from './models.ts';
import { RETROSPECTIVE_MODELS, RETROSPECTIVE_SLICES } from './retrospective.ts';
import { stepNameSchema } from './run.ts';
import { SLICE_VARIABLES, SLICED_MODELS } from './slices.ts';
import { SOURCE_KINDS } from './sources.ts';

/** Rows by outcome. `read = accepted + quarantined + duplicates`, each counted independently. */
export const rowCountsSchema = z.strictObject({
  read: count,
  accepted: count,
  quarantined: count,
  duplicates: count,
});
export type RowCounts = z.infer<typeof rowCountsSchema>;

export const refusalCodeSchema = z.enum(REFUSAL_REASONS.map((reason) => reason.code));

/** A refused row as it is shown to people: of its line only what may leave the raw log. */
export const refusedExampleSchema = z.strictObject({
  reason: refusalCodeSchema,
  file: z.string(),
  line: z.string(),
});

/** Files of which a result says for what reasons their rows were refused. */
export const MOST_REFUSED_FILES = 12;

export const refusedLineSchema = refusedExampleSchema.omit({ file: true });

/** A file with refused rows, and why; of forgotten users' rows there is no example. */
export const refusedFileSchema = z.strictObject({
  file: z.string(),
  rows: count,
  reasons: z.partialRecord(refusalCodeSchema, count),
  /** One row of each reason. Apart from the counts, which stay when a user is forgotten. */
  examples: z.array(refusedLineSchema),
});
export type RefusedFile = z.infer<typeof refusedFileSchema>;

/** How a batch changed the lake: `after = before - takenAway + accepted + returned`, each counted independently. */
export const eventChangesSchema = z.strictObject({
  /** Events in the lake before the batch. */
  before: count,
  /** Events of former versions and of files taken out, and events that a copy in this batch displaced. */
  takenAway: count,
  /** Copies in other files that became events, because the files that held these events lost them. */
  returned: count,
  /** Events in the lake once the batch was published. */
  after: count,
});
export type EventChanges = z.infer<typeof eventChangesSchema>;
/** Kinds of findings in refused rows that a result names at most. */
export const MOST_FINDINGS = 60;

/** What was found in refused rows of a batch: see findings.ts. */
export const findingSchema = z.strictObject({
  reason: refusalCodeSchema,
  /** In our spelling; empty where it is about the line, or about a column that is not ours. */
  column: z.string(),
  found: z.enum(FINDING_KINDS.map(({ code }) => code)),
  /** An unknown word or column name that many rows have; null where few do. */
  word: z.string().nullable(),
  rows: count,
  files: count,
});

export const adaptationSchema = z.enum(ADAPTATIONS.map(({ code }) => code));

/** Rows that were adapted, accepted or duplicate, by how they were written: see adaptations.ts. A row can have several. */
export const adaptedRowsSchema = z.strictObject({
  adaptation: adaptationSchema,
  rows: count,
  files: count,
});

/** Result of ingest-events. */
export const ingestResultSchema = z.strictObject({
  counts: rowCountsSchema,
  /** Refused rows by reason. */
  refused: z.partialRecord(refusalCodeSchema, count),
  examples: z.array(refusedExampleSchema).max(3),
  /** The files with the most refused rows, those first. Results of older versions lack it. */
  refusedFiles: z.array(refusedFileSchema).max(MOST_REFUSED_FILES).optional(),
  /** What was found in the refused rows, the most frequent first. Results of older versions lack it. */
  findings: z.array(findingSchema).max(MOST_FINDINGS).optional(),
  /** Rows of the batch that the tables hold now: fewer than were accepted once users have been forgotten. */
  held: z.strictObject({ events: count, quarantined: count }),
  /** Null when the batch was in the lake already. Results of older versions lack it. */
  changes: eventChangesSchema.nullable().optional(),
  /** The lake as the step left it. Results of older versions lack it. */
  lake: z.strictObject({ events: count }).optional(),
  /** Results of older versions lack it. */
  adapted: z.strictObject({ rows: count, files: count, by: z.array(adaptedRowsSchema) }).optional(),
  filesRead: count,
  /** Files that are no event files by their first lines. Results of older versions lack it. */
  passedOver: z.array(passedOverSchema).optional(),
  /** Files without one accepted row or copy of one. Results of older versions lack it. */
  withoutEvents: leftOutSchema.optional(),
  bytesRead: count,
  firstDay: isoDate.nullable(),
  lastDay: isoDate.nullable(),
  /** Days of user_days that were computed again. */
  daysRecomputed: count,
  /**
   * What this attempt did for the tables: small files that were rewritten, files that hold their rows now, and files without
   * a snapshot that were removed. Results of older versions lack it.
   */
  upkeep: z.strictObject({ filesCompacted: count, filesWritten: count, orphansRemoved: count }).optional(),
  /** Snapshots after this batch; strings, because the ids are too large for exact JSON numbers. */
  snapshots: z.strictObject({ events: z.string().nullable(), user_days: z.string().nullable() }),
});
export type IngestResult = z.infer<typeof ingestResultSchema>;

/** What the rows of a cutoff are used for; `past` ones only for the record over time. */
export const CUTOFF_ROLES = ['train', 'past', 'test', 'score'] as const;
export type CutoffRole = (typeof CUTOFF_ROLES)[number];

/** How often each page, level, authentication state and device came on the newest days of the log: see sources.ts. */
export const dailySourcesSchema = z.strictObject({
  /** Days with events, in order, with all events and all users of each. */
  days: z.array(z.strictObject({ day: isoDate, events: count, users: count })),
  /** By source its number on each of these days: events of pages and levels, users of devices. */
  counts: z.array(z.strictObject({ kind: z.enum(SOURCE_KINDS), name: z.string(), counts: z.array(count) })),
});

/** Result of build-features. */
export const featuresResultSchema = z.strictObject({
  firstDay: isoDate,
  observationEnd: isoDate,
  observedDays: count,
  cutoffs: z.array(
    z.strictObject({
      cutoff: isoDate,
      role: z.enum(CUTOFF_ROLES),
      rows: count,
      /** Users who cancel within the horizon; null for the scoring cutoff, whose future is unknown. */
      cancellations: count.nullable(),
      /** Changes when the rows may have changed. Results of older versions lack it. */
      version: z.string().optional(),
    }),
  ),
  /** Signed-in events of each day that has any, in order. Results of older versions lack it. */
  days: z.array(z.strictObject({ day: isoDate, events: count })).optional(),
  /** Results of older versions lack it. */
  sources: dailySourcesSchema.optional(),
  /** Users with a history, and how many of them cancelled, in the whole lake. */
  users: count,
  cancellations: count,
  /** A day of the grid of training and test cutoffs. Results of older versions lack it. */
  cutoffAnchor: isoDate.nullable().default(null),
  /** Users who came back after a cancellation, and later cancellations of theirs. Results of older versions lack both. */
  returnedUsers: count.optional(),
  secondCancellations: count.optional(),
  featureCount: count,
  snapshots: z.strictObject({
    user_days: z.string(),
    features: z.string(),
    /** Results of older versions lack it: their scoring rows were among the others. */
    scoring_features: z.string().optional(),
  }),
  /** Rows of the whole table `features`, counted. Results of older versions lack it: it had the rows of the cutoffs. */
  tableRows: count.optional(),
});
export type FeaturesResult = z.infer<typeof featuresResultSchema>;

/** What contacting the users at or above one threshold of the probability achieves on the test rows. */
export const decisionSchema = z.strictObject({
  threshold: z.number(),
  truePositives: z.number(),
  falsePositives: z.number(),
  trueNegatives: z.number(),
  falseNegatives: z.number(),
  precision: z.number(),
  recall: z.number(),
  f1: z.number(),
  balancedAccuracy: z.number(),
});
export type Decision = z.infer<typeof decisionSchema>;

/** A metric's value with its 95% interval; the bounds are null where none was computed. */
export const estimateSchema = z.strictObject({
  value: z.number(),
  low: z.number().nullable(),
  high: z.number().nullable(),
});
export type Estimate = z.infer<typeof estimateSchema>;

export const modelNameSchema = z.enum(MODELS.map(({ name }) => name));
export const metricNameSchema = z.enum(METRICS.map(({ name }) => name));
export const thresholdRuleSchema = z.enum(THRESHOLD_RULES.map(({ name }) => name));

/** Test rows of adjoining scores: mean predicted probability, users, and how many of them cancelled. */
export const curveBinSchema = z.strictObject({ predicted: z.number(), users: count, cancelled: count });
export type CurveBin = z.infer<typeof curveBinSchema>;

/** How one candidate or baseline performed on the test rows. Metrics that cannot be computed are left out. */
export const modelEvaluationSchema = z.strictObject({
  model: modelNameSchema,
  kind: z.enum(['candidate', 'baseline']),
  metrics: z.partialRecord(metricNameSchema, estimateSchema),
  decisions: z.partialRecord(thresholdRuleSchema, decisionSchema),
  /** Ten equal-count bins: mean predicted probability, share that cancelled, users. */
  reliability: z.array(z.strictObject({ predicted: z.number(), observed: z.number(), users: z.number() })),
  fitSeconds: z.number().nonnegative(),
  /** The test rows in at most 200 groups of adjoining scores, the highest first. Results of older versions lack it. */
  curve: z.array(curveBinSchema).optional(),
});
export type ModelEvaluation = z.infer<typeof modelEvaluationSchema>;

/** Tenths of the test rows by a model's score: the lowest score of each but the first, and the rows of each. */
export const scoreBinsSchema = z.strictObject({ starts: z.array(z.number()), rows: z.array(count) });
export type ScoreBins = z.infer<typeof scoreBinsSchema>;

/** The champion on the newest test rows, on which the candidates were tested too. */
export const championTestSchema = z.strictObject({
  /** The run that trained it. */
  runId: z.string(),
  modelUri: uri,
  testCutoff: isoDate,
  /** Why it cannot be used; null when it can. What follows is null when it cannot. */
  notUsable: z.string().nullable(),
  /** Whether its last label window had ended by the test cutoff: otherwise it has seen some of the test's answers. */
  comparable: z.boolean(),
  evaluation: modelEvaluationSchema.nullable(),
  /** Average precision over base rate, challenger minus champion, on the same rows; null without a challenger. */
  difference: estimateSchema.nullable(),
  testScores: scoreBinsSchema.nullable(),
});
export type ChampionTest = z.infer<typeof championTestSchema>;

/** A candidate that could not be fitted, and why: such a one has no figures. */
export const notFittedSchema = z.strictObject({ model: modelNameSchema, reason: z.string() });

/** Events of a channel per exposure, in a segment and among all users. */
export const channelRateSchema = z.strictObject({ rate: z.number(), usual: z.number() });

/** Users who behave alike, as the chosen half-life tells them apart. */
export const segmentSchema = z.strictObject({
  /** Share of the users. */
  size: z.number(),
  /** By channel, in the order of the domain's list. */
  rates: z.array(channelRateSchema),
  /** Share of training rows of the segment that cancel, while free and while paying. */
  freeHazard: z.number(),
  paidHazard: z.number(),
});

/** How well one input ranks users by itself: the area under its ROC curve, and the lower end of its 99.9 % interval. */
export const singleInputSchema = z.strictObject({ feature: z.string(), auc: z.number(), low: z.number() });

/** An earlier cutoff, tested as a run of that time would have been: it decides nothing. */
export const pastTestSchema = z.strictObject({
  cutoff: isoDate,
  /** Cutoffs whose label window had ended by then: what was learnt from. */
  trainCutoffs: count,
  trainRows: count,
  trainCancellations: count,
  testRows: count,
  testCancellations: count,
  /** Of the kind of model that the run has chosen, learnt again; none where too few had cancelled to fit it. */
  metrics: z.partialRecord(metricNameSchema, estimateSchema),
  /** Cancellations that its probabilities add up to; null where it was not fitted. */
  predicted: z.number().nonnegative().nullable(),
  /** Metrics of the baseline "days since last seen". */
  recency: z.partialRecord(metricNameSchema, estimateSchema),
});
export type PastTest = z.infer<typeof pastTestSchema>;

/** A part of the test users, and how a model did on it: counts, from which the figures follow (slices.ts). */
export const sliceSchema = z.strictObject({
  model: z.enum(SLICED_MODELS),
  variable: z.enum(SLICE_VARIABLES.map(({ name }) => name)),
  /** Of segments their number, from 1, the largest first. */
  value: z.string(),
  users: count,
  cancelled: count,
  /** Cancellations that the probabilities add up to. */
  predicted: z.number().nonnegative(),
  /** Null where all cancelled, or nobody. */
  auc: z.number().nullable(),
});
export type Slice = z.infer<typeof sliceSchema>;

/**
 * By how much the AUC on test users falls when values are dealt to other users: the mean of some deals, and the least and the
 * most of them.
 */
const fallSchema = { fall: z.number(), least: z.number(), most: z.number() };

/** Test users whose value of a feature is in one band, both ends included; of those who lack it both are null. */
export const featureBandSchema = z.strictObject({
  lowest: z.number().nullable(),
  highest: z.number().nullable(),
  users: count,
  cancelled: count,
  /** Cancellations that the probabilities add up to. */
  predicted: z.number().nonnegative(),
});
export type FeatureBand = z.infer<typeof featureBandSchema>;

export const groupDriverSchema = z.strictObject({ group: z.string(), ...fallSchema });
/** A column of `features`, or of a regression on segments the count of a channel, which stands for events per exposure. */
export const featureDriverSchema = z.strictObject({
  feature: z.string(),
  ...fallSchema,
  /** Rank correlation of the value with the score; null where all have the same value. */
  correlation: z.number().nullable(),
  /** From the lowest values to the highest, those who lack it last. */
  bands: z.array(featureBandSchema),
});
export type FeatureDriver = z.infer<typeof featureDriverSchema>;

/** What drives the chosen model. */
export const driversSchema = z.strictObject({
  /** Test users that values were dealt among. */
  users: count,
  /** On them, with their own values. */
  auc: z.number(),
  /** All features of a group at once; the largest fall first. */
  groups: z.array(groupDriverSchema),
  /** The leading features one by one; the largest fall first. */
  features: z.array(featureDriverSchema),
});
export type Drivers = z.infer<typeof driversSchema>;

/** A value that divides the users: how many of those who have it cancelled at least once, and how many stayed. */
export const exploredGroupSchema = z.strictObject({
  variable: z.enum(EXPLORED_VARIABLES.map(({ name }) => name)),
  value: z.string(),
  churned: count,
  stayed: count,
});

/** The same figure of those who cancelled and of those who stayed; null where nobody has it. */
export const exploredFigureSchema = z.strictObject({
  name: z.string(),
  churned: z.number().nullable(),
  stayed: z.number().nullable(),
});

/** A measure of each user, as quantiles among those who cancelled and those who stayed; empty where nobody has it. */
export const exploredMeasureSchema = z.strictObject({
  name: z.string(),
  churned: z.array(z.number()),
  stayed: z.array(z.number()),
});

/** Users who are still there after so many days, as a share; with its 95 % interval. */
export const survivalPointSchema = z.strictObject({
  /** Days since registration. */
  day: count,
  atRisk: count,
  cancelled: count,
  survival: z.number(),
  low: z.number(),
  high: z.number(),
});

/** A Kaplan-Meier curve with delayed entry. */
export const survivalCurveSchema = z.strictObject({
  grouping: z.enum(SURVIVAL_GROUPINGS.map(({ name }) => name)),
  value: z.string(),
  users: count,
  points: z.array(survivalPointSchema),
});
export type SurvivalCurve = z.infer<typeof survivalCurveSchema>;

/** Days of users, and on how many of them one cancelled: see hazards.ts. */
export const hazardSchema = z.strictObject({
  variable: z.enum(HAZARD_VARIABLES.map(({ name }) => name)),
  value: z.string(),
  /** Users who were at risk on such a day. */
  users: count,
  /** Days on which a user was at risk, a day for each user. */
  days: count,
  cancelled: count,
});
export type Hazard = z.infer<typeof hazardSchema>;

/** Who leaves: see exploration.ts. */
export const explorationSchema = z.strictObject({
  churned: count,
  stayed: count,
  groups: z.array(exploredGroupSchema),
  measures: z.array(exploredMeasureSchema),
  /** Visits of each page per hour of use, by column of user_days. */
  pages: z.array(exploredFigureSchema),
  /** Share of the events that fall on each day of the week. */
  weekdays: z.array(exploredFigureSchema),
  /** Share of the hours with an event that fall on each hour of the day (UTC), 0 to 23. Results of older versions lack it. */
  hours: z.array(exploredFigureSchema).default([]),
  survival: z.array(survivalCurveSchema),
  /** Results of older versions lack it. */
  hazards: z.array(hazardSchema).default([]),
});
export type Exploration = z.infer<typeof explorationSchema>;

/** A column of a sample of the users, compared with that of all others. */
export const sampleDifferenceSchema = z.strictObject({
  feature: z.string(),
  test: z.enum(SAMPLE_TESTS.map(({ name }) => name)),
  /** The effect size, from 0 to 1: the largest difference of two cumulative shares, or the difference of two shares. */
  distance: z.number(),
  pValue: z.number(),
  /** The p-value by Holm, for all columns of the sample together. */
  adjusted: z.number(),
  /** The smallest distance that would have been found, with the power that the domain states; null where none would. */
  smallestFound: z.number().nullable(),
});
export type SampleDifference = z.infer<typeof sampleDifferenceSchema>;

/** A sample of the users compared with the others; without others and differences where it was not tested. */
export const sampleComparisonSchema = z.strictObject({
  sample: z.enum(USER_SAMPLES.map(({ name }) => name)),
  users: count,
  others: count,
  /** Users of the sample who cancel within the horizon. */
  cancelled: count,
  /** The least probable first. */
  differences: z.array(sampleDifferenceSchema),
});
export type SampleComparison = z.infer<typeof sampleComparisonSchema>;

/** Is a sample of the users enough: see homogeneity.ts. Of the users of the test cutoff. */
export const homogeneitySchema = z.strictObject({ users: count, samples: z.array(sampleComparisonSchema) });
export type Homogeneity = z.infer<typeof homogeneitySchema>;

/** Figures of the published table; accuracy, recall, precision and F1 at a threshold found on training users. */
export const retrospectiveFiguresSchema = z.strictObject({
  auc: z.number(),
  accuracy: z.number(),
  recall: z.number(),
  precision: z.number(),
  f1: z.number(),
});

/** A model by the retrospective protocol, on each slice of the users. */
export const retrospectiveEvaluationSchema = z.strictObject({
  model: z.enum(RETROSPECTIVE_MODELS.map(({ name }) => name)),
  figures: z.record(z.enum(RETROSPECTIVE_SLICES.map(({ name }) => name)), retrospectiveFiguresSchema),
});
export type RetrospectiveEvaluation = z.infer<typeof retrospectiveEvaluationSchema>;

/** The retrospective protocol, leaky and for comparison only: see retrospective.ts. */
export const retrospectiveSchema = z.strictObject({
  users: count,
  cancelled: count,
  testUsers: count,
  testCancelled: count,
  /** Those on six features first, ours last. */
  evaluations: z.array(retrospectiveEvaluationSchema),
  /** The one of those on six features that ranks the test users best. */
  bestSix: retrospectiveEvaluationSchema.shape.model,
  /** AUC of ours minus that of this one, on the same test users. */
  difference: estimateSchema,
});
export type Retrospective = z.infer<typeof retrospectiveSchema>;

/** Result of train-models. */
export const trainingResultSchema = z.strictObject({
  trainRows: count,
  trainCancellations: count,
  testRows: count,
  testCancellations: count,
  testCutoff: isoDate,
  evaluations: z.array(modelEvaluationSchema),
  /** A candidate; the base rate when there are too few cancellations to train one. */
  chosen: modelNameSchema,
  /** False when there were too few cancellations to trust the metrics. */
  reliable: z.boolean(),
  reliabilityReason: z.string(),
  /** Share of the chosen model's gain (or absolute weight) that each feature contributes; largest first. */
  importance: z.array(z.strictObject({ feature: z.string(), share: z.number() })),
  modelUri: uri,
  featuresSnapshot: z.string(),
  /** Null when there was none. Results of older versions lack it. */
  champion: championTestSchema.nullable().default(null),
  /** The inputs that rank best by themselves, the strongest first. Results of older versions lack it. */
  singleInputs: z.array(singleInputSchema).default([]),
  /** Results of older versions lack it. */
  notFitted: z.array(notFittedSchema).default([]),
  /** The largest first; none where users could not be grouped. Results of older versions lack it. */
  segments: z.array(segmentSchema).default([]),
  /** Earlier cutoffs, oldest first. Results of older versions lack it. */
  past: z.array(pastTestSchema).default([]),
  /** Results of older versions lack it. */
  exploration: explorationSchema.nullable().default(null),
  /** The test users in parts. Results of older versions lack it. */
  slices: z.array(sliceSchema).default([]),
  /** Null where nothing was chosen, or where the test users hold one outcome only. Results of older versions lack it. */
  drivers: driversSchema.nullable().default(null),
  /** Results of older versions lack it. */
  homogeneity: homogeneitySchema.nullable().default(null),
  /** Null where the run did not do it, or too few users cancelled. Results of older versions lack it. */
  retrospective: retrospectiveSchema.nullable().default(null),
});
export type TrainingResult = z.infer<typeof trainingResultSchema>;

/** Drift: population stability index of the scored users compared with the test users. */
const driftSchema = z.strictObject({
  /** Each feature; largest first. */
  features: z.array(z.strictObject({ feature: z.string(), psi: z.number().nonnegative() })),
  /** The model's raw score. */
  score: z.number().nonnegative(),
  /** The test users that the scored users were compared with; null without any. Results of older versions lack it. */
  comparedWith: z.strictObject({ testCutoff: isoDate, users: count }).nullable().optional(),
});
export type Drift = z.infer<typeof driftSchema>;

/** Living users whose probability is in [bin / PROBABILITY_BINS, (bin + 1) / PROBABILITY_BINS). */
export const probabilityBinSchema = z.strictObject({
  bin: count,
  /** Users outside the control group, and the sum of their probabilities. */
  users: count,
  expected: z.number().nonnegative(),
  control: count,
});
export type ProbabilityBin = z.infer<typeof probabilityBinSchema>;

/** The median of the living users of a level; null where most of them have no value. Of a channel: events per exposure. */
export const typicalValueSchema = z.strictObject({
  feature: z.string(),
  free: z.number().nullable(),
  paid: z.number().nullable(),
});
export type TypicalValue = z.infer<typeof typicalValueSchema>;

/** Where the list was written, and how many users are on it. */
export const campaignSchema = z.strictObject({ uri, users: count });
export type Campaign = z.infer<typeof campaignSchema>;

/** A segment with the living users of whom it is the most probable. */
export const livingSegmentSchema = segmentSchema.extend({
  users: count,
  /** The sum of their probabilities; null where these are withheld. */
  expected: z.number().nonnegative().nullable(),
});
export type LivingSegment = z.infer<typeof livingSegmentSchema>;

/** Users of one segment before and of one now, by their places in the list. */
export const segmentMoveSchema = z.strictObject({ before: count, now: count, users: count });

/** The living users by segment, as the model in charge tells them apart. */
export const livingSegmentsSchema = z.strictObject({
  /** In the order of the model: by their share of its training users, the largest first. */
  segments: z.array(livingSegmentSchema),
  /** Those who lived at an earlier scoring cutoff too, then and now by the same model; null where there is none. */
  moved: z.strictObject({ since: isoDate, moves: z.array(segmentMoveSchema) }).nullable(),
});
export type LivingSegments = z.infer<typeof livingSegmentsSchema>;

/** Users of an earlier run of whom the same was stored, and what came of them. */
export const outcomeGroupSchema = z.strictObject({
  /** Null where nobody was in charge. */
  decile: count.nullable(),
  inControlGroup: z.boolean(),
  /** Null where there was no list. */
  worthContacting: z.boolean().nullable(),
  users: count,
  /** Sum of their probabilities; null where these were withheld. */
  predicted: z.number().nonnegative().nullable(),
  /** Those who cancelled within the horizon. */
  observed: count,
});
export type OutcomeGroup = z.infer<typeof outcomeGroupSchema>;

/** What came true of the scores of an earlier run. */
export const runOutcomeSchema = z.strictObject({
  runId: z.string(),
  cutoff: isoDate,
  /** The midnight that ends its horizon. */
  horizonEnd: isoDate,
  groups: z.array(outcomeGroupSchema),
});
export type RunOutcome = z.infer<typeof runOutcomeSchema>;

/** Result of score-users. */
export const scoringResultSchema = z.strictObject({
  users: count,
  cutoff: isoDate,
  expectedCancellations: z.number().nonnegative(),
  /** The users most at risk, for the first page of the report; none when no model is in charge. */
  top: z.array(
    z.strictObject({
      userId: z.string(),
      /** Null when probabilities are withheld. */
      probability: z.number().nullable(),
      level: z.string().nullable(),
      inControlGroup: z.boolean(),
      /** In words, the strongest first; in results of older versions, names of groups of features. */
      reasons: z.array(z.string()),
    }),
  ),
  /** What is typical, of each input of the model and each channel of its segments. Results of older versions lack it. */
  typical: z.array(typicalValueSchema).optional(),
  /** Living users by probability, the control group apart. Results of older versions lack it. */
  probabilities: z.array(probabilityBinSchema).optional(),
  /** Null where there is no list. Results of older versions lack it. */
  campaign: campaignSchema.nullable().optional(),
  /** Null where the model in charge knows no segments. Results of older versions lack it. */
  segments: livingSegmentsSchema.nullable().optional(),
  /** Of earlier runs whose horizon has passed and whose outcome was not known. Results of older versions lack it. */
  outcomes: z.array(runOutcomeSchema).optional(),
  drift: driftSchema,
  snapshots: z.strictObject({ scores: z.string() }),
});
export type ScoringResult = z.infer<typeof scoringResultSchema>;

/** What a step that fails writes for people. */
export const stepErrorSchema = z.strictObject({
  step: stepNameSchema,
  errorClass: z.string(),
  message: z.string(),
  likelyCause: z.string(),
  whatToDo: z.string(),
});
export type StepError = z.infer<typeof stepErrorSchema>;
