/** What the scripts share with the Lambdas: schemas of the domain, as JSON Schema from which Python types are made. */
import { z } from 'zod';
import { choiceSchema } from '../../domain/choice.ts';
import {
  leftOutSchema,
  listingSchema,
  passedOverReasonSchema,
  passedOverSchema,
} from '../../domain/listing.ts';
import {
  adaptationSchema,
  adaptedRowsSchema,
  campaignSchema,
  championTestSchema,
  channelRateSchema,
  curveBinSchema,
  dailySourcesSchema,
  decisionSchema,
  driversSchema,
  estimateSchema,
  eventChangesSchema,
  explorationSchema,
  exploredFigureSchema,
  exploredGroupSchema,
  exploredMeasureSchema,
  featureBandSchema,
  featureDriverSchema,
  featuresResultSchema,
  findingSchema,
  groupDriverSchema,
  hazardSchema,
  homogeneitySchema,
  ingestResultSchema,
  livingSegmentSchema,
  livingSegmentsSchema,
  metricNameSchema,
  modelEvaluationSchema,
  modelNameSchema,
  notFittedSchema,
  outcomeGroupSchema,
  pastTestSchema,
  probabilityBinSchema,
  refusalCodeSchema,
  refusedExampleSchema,
  refusedFileSchema,
  refusedLineSchema,
  retrospectiveEvaluationSchema,
  retrospectiveFiguresSchema,
  retrospectiveSchema,
  rowCountsSchema,
  runOutcomeSchema,
  sampleComparisonSchema,
  sampleDifferenceSchema,
  scoreBinsSchema,
  scoringResultSchema,
  segmentMoveSchema,
  segmentSchema,
  singleInputSchema,
  sliceSchema,
  stepErrorSchema,
  survivalCurveSchema,
  survivalPointSchema,
  thresholdRuleSchema,
  trainingResultSchema,
  typicalValueSchema,
} from '../../domain/results.ts';
import {
  batchSchema,
  clusterSizeSchema,
  eventFileSchema,
  heldFileSchema,
  modelInChargeSchema,
  promotionSettingsSchema,
  runPlanSchema,
  stepNameSchema,
} from '../../domain/run.ts';
import { trainSettingsSchema } from '../../domain/training-decision.ts';

/** A schema, and the docstring of its type. */
interface Named {
  readonly schema: z.ZodType;
  readonly meaning: string;
}

const named = (schema: z.ZodType, meaning: string): Named => ({ schema, meaning });

const plan = runPlanSchema.shape;
const ingest = ingestResultSchema.shape;
const features = featuresResultSchema.shape;
const training = trainingResultSchema.shape;
const scoring = scoringResultSchema.shape;

/** Files of types, without `.py`, and the types of each by name; the last is the one that contains the others. */
const TYPES = {
  plan: {
    StepName: named(stepNameSchema, 'A Spark step.'),
    EventFile: named(eventFileSchema, 'An event file as it was listed.'),
    HeldFile: named(heldFileSchema, 'A version of a file that the lake holds.'),
    Batch: named(batchSchema, 'The files that one run ingests together.'),
    LeftOut: named(leftOutSchema, 'How many files were left for the next run, and the first of them.'),
    GoneFiles: named(
      listingSchema.shape.gone.unwrap(),
      'Files that the lake holds and the log no longer has.',
    ),
    UnreadReason: named(passedOverReasonSchema, 'Why a file is not read.'),
    UnreadFiles: named(passedOverSchema, 'Files that are not read, for one reason.'),
    Listing: named(listingSchema, 'What was left out of the listing and of the batch.'),
    IngestSettings: named(plan.ingest, 'Settings of ingest-events.'),
    TrainingSettings: named(plan.training, 'Settings of build-features and train-models.'),
    ModelInCharge: named(modelInChargeSchema, 'The model in charge.'),
    PromotionSettings: named(promotionSettingsSchema, 'What the choice of a model goes by.'),
    Terms: named(plan.scoring.shape.terms.unwrap(), 'What a contact costs and saves.'),
    TrainSettings: named(trainSettingsSchema, 'Whether the run trains.'),
    ScoringSettings: named(plan.scoring, 'Settings of score-users.'),
    ClusterSize: named(clusterSizeSchema, 'How large the cluster is.'),
    Outputs: named(plan.outputs, 'Where each step writes its result or its error.'),
    Plan: named(runPlanSchema, 'Everything the steps of a run need to know.'),
  },
  step_error: {
    StepFailure: named(stepErrorSchema, 'What a failing step leaves for the operator.'),
  },
  ingest_result: {
    RowCounts: named(rowCountsSchema, 'Rows by outcome.'),
    RefusalCode: named(refusalCodeSchema, 'Why a row is refused.'),
    Finding: named(findingSchema, 'What was found in refused rows.'),
    RefusedExample: named(refusedExampleSchema, 'A refused row as the operator sees it.'),
    RefusedLine: named(refusedLineSchema, 'A refused row of a file.'),
    RefusedFile: named(refusedFileSchema, 'A file with refused rows, and why.'),
    EventChanges: named(eventChangesSchema, 'How a batch changed the lake.'),
    LakeAfter: named(ingest.lake.unwrap(), 'The lake as the step left it.'),
    Adaptation: named(adaptationSchema, 'How a row was adapted.'),
    AdaptedRows: named(adaptedRowsSchema, 'Rows that were adapted in one way.'),
    Adapted: named(ingest.adapted.unwrap(), 'Rows that were adapted.'),
    PassedOverReason: named(passedOverReasonSchema, 'Why a file was not read.'),
    PassedOver: named(passedOverSchema, 'Files that were not read, for one reason.'),
    FilesWithoutEvents: named(leftOutSchema, 'Files that gave no event, and the first of them.'),
    HeldRows: named(ingest.held, 'Rows of the batch that the tables hold.'),
    Upkeep: named(ingest.upkeep.unwrap(), 'What was done for the tables.'),
    IngestSnapshots: named(ingest.snapshots, 'Snapshots of the tables after the batch.'),
    IngestResult: named(ingestResultSchema, 'Result of ingest-events.'),
  },
  features_result: {
    CutoffCounts: named(features.cutoffs.element, 'The rows of one cutoff.'),
    DayEvents: named(features.days.unwrap().element, 'Signed-in events of a day.'),
    SourceKind: named(dailySourcesSchema.shape.counts.element.shape.kind, 'What may go quiet.'),
    SourceDay: named(dailySourcesSchema.shape.days.element, 'Events and users of a day.'),
    SourceCounts: named(dailySourcesSchema.shape.counts.element, 'How often a source came, day by day.'),
    DailySources: named(dailySourcesSchema, 'How often each source came on the newest days.'),
    FeaturesSnapshots: named(features.snapshots, 'Snapshots that were read and written.'),
    FeaturesResult: named(featuresResultSchema, 'Result of build-features.'),
  },
  training_result: {
    ModelName: named(modelNameSchema, 'A candidate or a baseline.'),
    MetricName: named(metricNameSchema, 'A metric of a model.'),
    ThresholdRule: named(thresholdRuleSchema, 'How a threshold is chosen.'),
    Estimate: named(estimateSchema, 'A metric with its 95 % interval.'),
    Decision: named(decisionSchema, 'Outcomes at one threshold.'),
    ReliabilityBin: named(
      modelEvaluationSchema.shape.reliability.element,
      'One bin of the reliability diagram.',
    ),
    CurveBin: named(curveBinSchema, 'Test rows of adjoining scores.'),
    ModelEvaluation: named(modelEvaluationSchema, 'A candidate or baseline on the test rows.'),
    Importance: named(training.importance.element, 'A feature and its share of the importance.'),
    TestedScores: named(scoreBinsSchema, "Tenths of the test rows by the champion's score."),
    PastTest: named(pastTestSchema, 'An earlier cutoff, tested for the record over time.'),
    ExploredVariable: named(exploredGroupSchema.shape.variable, 'What divides the users.'),
    ExploredGroup: named(exploredGroupSchema, 'Users with one value, by whether they cancelled.'),
    ExploredFigure: named(exploredFigureSchema, 'A figure of those who cancelled and of those who stayed.'),
    ExploredMeasure: named(exploredMeasureSchema, 'Quantiles of a measure among both.'),
    SurvivalGrouping: named(survivalCurveSchema.shape.grouping, 'How users are divided for curves.'),
    SurvivalPoint: named(survivalPointSchema, 'The share of users who are still there after so many days.'),
    SurvivalCurve: named(survivalCurveSchema, 'How long the users of a group stay.'),
    HazardVariable: named(hazardSchema.shape.variable, 'How days of users are divided.'),
    Hazard: named(hazardSchema, 'Days of users, and on how many of them one cancelled.'),
    Exploration: named(explorationSchema, 'Who leaves.'),
    SlicedModel: named(sliceSchema.shape.model, 'A model that is measured on slices.'),
    SliceVariable: named(sliceSchema.shape.variable, 'What divides the test users.'),
    Slice: named(sliceSchema, 'A part of the test users, and how a model did on it.'),
    FeatureBand: named(featureBandSchema, 'Test users whose value of a feature is in one band.'),
    GroupDriver: named(groupDriverSchema, 'By how much the AUC falls without a group of features.'),
    FeatureDriver: named(featureDriverSchema, 'By how much the AUC falls without a feature, and its range.'),
    Drivers: named(driversSchema, 'What drives the chosen model.'),
    SampleName: named(sampleComparisonSchema.shape.sample, 'A sample of the users.'),
    SampleTest: named(sampleDifferenceSchema.shape.test, 'How a sample is compared.'),
    SampleDifference: named(sampleDifferenceSchema, 'A column of a sample compared with that of the others.'),
    SampleComparison: named(sampleComparisonSchema, 'A sample compared with the other users.'),
    Homogeneity: named(homogeneitySchema, 'Is a sample of the users enough.'),
    RetrospectiveFigures: named(retrospectiveFiguresSchema, 'Figures of the published table.'),
    RetrospectiveModelName: named(
      retrospectiveEvaluationSchema.shape.model,
      'A model by the retrospective protocol.',
    ),
    RetrospectiveSlice: named(
      retrospectiveEvaluationSchema.shape.figures.keyType,
      'Which users figures of the retrospective protocol are of.',
    ),
    RetrospectiveEvaluation: named(
      retrospectiveEvaluationSchema,
      'How well a model does by the retrospective protocol.',
    ),
    Retrospective: named(retrospectiveSchema, 'Models by the retrospective protocol.'),
    SingleInput: named(singleInputSchema, 'How well one input ranks by itself.'),
    NotFitted: named(notFittedSchema, 'A candidate that could not be fitted.'),
    ChannelRate: named(channelRateSchema, 'Events of a channel per exposure.'),
    Segment: named(segmentSchema, 'Users who behave alike.'),
    ChampionTest: named(championTestSchema, 'The champion on the newest test rows.'),
    TrainingResult: named(trainingResultSchema, 'Result of train-models.'),
  },
  choice: {
    ScorerKind: named(modelNameSchema, 'The kind of the model that scores.'),
    ScorerScores: named(scoreBinsSchema, 'Tenths of the test rows by its score.'),
    ScoreDifference: named(estimateSchema, 'Challenger minus champion.'),
    Scorer: named(choiceSchema.shape.scorer.unwrap(), 'The model that scores.'),
    Gate: named(choiceSchema.shape.gates.element, 'What a challenger must pass.'),
    Choice: named(choiceSchema, 'Which model scores, and why.'),
  },
  scoring_result: {
    TopUser: named(scoring.top.element, 'One of the users most at risk.'),
    FeatureDrift: named(scoring.drift.shape.features.element, 'How far a feature has drifted.'),
    ComparedWith: named(
      scoring.drift.shape.comparedWith.unwrap().unwrap(),
      'The test users that the scored users were compared with.',
    ),
    Drift: named(scoring.drift, 'How far the scored users differ from the test users.'),
    ScoringSnapshots: named(scoring.snapshots, 'The snapshot that was written.'),
    Campaign: named(campaignSchema, 'The list that was written.'),
    TypicalValue: named(typicalValueSchema, 'What is typical of the users of a level.'),
    ProbabilityBin: named(probabilityBinSchema, 'Living users of nearly the same probability.'),
    LivingRate: named(channelRateSchema, 'Events of a channel per exposure.'),
    LivingSegment: named(livingSegmentSchema, 'A segment with its living users.'),
    SegmentMove: named(segmentMoveSchema, 'Users of one segment before and of one now.'),
    Moved: named(livingSegmentsSchema.shape.moved.unwrap(), 'Who has moved between segments since when.'),
    LivingSegments: named(livingSegmentsSchema, 'The living users by segment.'),

    OutcomeGroup: named(outcomeGroupSchema, 'Users of an earlier run, and what came of them.'),
    RunOutcome: named(runOutcomeSchema, 'What came true of the scores of an earlier run.'),
    ScoringResult: named(scoringResultSchema, 'Result of score-users.'),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Named>>>>;

export type TypesFile = keyof typeof TYPES;

/** The JSON Schema of each file of types: the last type is the document, the others are its definitions. */
export function typeSchemas(): ReadonlyMap<string, object> {
  return new Map(Object.entries(TYPES).map(([file, types]) => [file, jsonSchema(types)]));
}

function jsonSchema(types: Readonly<Record<string, Named>>): object {
  const registry = z.registry<z.core.JSONSchemaMeta>();
  const entries = Object.entries(types);
  const root = entries.at(-1);
  if (root === undefined) throw new Error('a file of types needs a type');
  for (const [id, { schema, meaning }] of entries.slice(0, -1))
    registry.add(schema, { id, description: meaning });
  const [title, { schema, meaning }] = root;
  registry.add(schema, { title, description: meaning });
  return z.toJSONSchema(schema, { metadata: registry });
}
