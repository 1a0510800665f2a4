/** Which model scores the users of a run and is in charge, and why. Each is a zod schema. */
import { z } from 'zod';
import { isoDate, share, uri } from './fields.ts';
import { estimateSchema, modelNameSchema, scoreBinsSchema } from './results.ts';

/** What a challenger must pass whatever the champion is worth. Names are stored. */
export const GATES = [
  { name: 'candidate', label: 'a candidate could be fitted' },
  { name: 'cancellations', label: 'enough cancellations' },
  { name: 'leak', label: 'no leak' },
  { name: 'leaking_input', label: 'no input that leaks' },
  { name: 'baselines', label: 'better than every baseline' },
  { name: 'predicted_observed', label: 'predicted as many cancellations as came' },
  { name: 'quarantine', label: 'few refused rows' },
] as const;
export type GateName = (typeof GATES)[number]['name'];

/** Which case of the table in docs/models.md held. Names are stored. */
export const CHOICE_RULES = [
  { name: 'first', label: 'no usable champion, and the challenger passes every gate' },
  { name: 'nobody', label: 'no usable champion, and no challenger that passes every gate' },
  { name: 'not_worse', label: 'the challenger passes every gate and is not shown to be worse' },
  { name: 'gate_failed', label: 'the challenger fails a gate' },
  { name: 'shown_worse', label: 'the challenger is shown to be worse' },
  { name: 'not_comparable', label: 'the champion has learnt from days of the test' },
  { name: 'waiting', label: 'promotion is manual: the challenger waits for a person' },
  { name: 'in_charge', label: 'nothing was trained: the model in charge scores' },
] as const;
export type ChoiceRule = (typeof CHOICE_RULES)[number]['name'];

const gateSchema = z.strictObject({
  name: z.enum(GATES.map(({ name }) => name)),
  passed: z.boolean(),
  /** What was found, as a clause of a sentence. */
  finding: z.string(),
});
export type Gate = z.infer<typeof gateSchema>;

/** The model that scores. */
const scorerSchema = z.strictObject({
  /** The run that trained it. */
  runId: z.string(),
  modelUri: uri,
  testCutoff: isoDate,
  model: modelNameSchema,
  /** Its scores of the newest test rows, for drift; null: those in its description. */
  testScores: scoreBinsSchema.nullable(),
});
export type Scorer = z.infer<typeof scorerSchema>;

/** What ChooseModel writes. */
export const choiceSchema = z.strictObject({
  runId: z.string(),
  rule: z.enum(CHOICE_RULES.map(({ name }) => name)),
  /** Null when nobody is in charge: users get the base rate. */
  scorer: scorerSchema.nullable(),
  /** Whether the scorer is the run's own model rather than the champion. */
  challengerScores: z.boolean(),
  /** Whether there is a list of users to contact, and whether their probabilities can be believed. */
  list: z.enum(['yes', 'order only', 'no']),
  /** Share of users expected to cancel when no model can be believed: that of the newest test rows. */
  baseRate: share,
  /**
   * The model whose test users the scored users are compared with for drift: the one that the run trained, or else the
   * one that scores; null where there is none. Older versions did not write it.
   */
  comparedWith: uri.nullable().default(null),
  /** False for a run whose scores are of an earlier day than the current ones: it makes nothing current. */
  makesCurrent: z.boolean(),
  gates: z.array(gateSchema),
  /** Average precision over base rate, challenger minus champion; null when they were not compared. */
  difference: estimateSchema.nullable(),
  /** Clauses: the decision first, then what else people should know. */
  reasons: z.array(z.string()).min(1),
});
export type Choice = z.infer<typeof choiceSchema>;

/** The reasons as one text, without a full stop. */
export function choiceText({ reasons }: Pick<Choice, 'reasons'>): string {
  return reasons.join('; ');
}

/** A decision by a person: `promote` and `rollback` put a run's model in charge; a rollback also stops promotions. */
export const decisionByPersonSchema = z.strictObject({
  action: z.enum(['promote', 'rollback']),
  /** Run whose model was put in charge, and the one before; null when there was none. */
  runId: z.string(),
  before: z.string().nullable(),
  by: z.string(),
  at: z.iso.datetime(),
  why: z.string(),
});
export type DecisionByPerson = z.infer<typeof decisionByPersonSchema>;

/** What a decision needs of model.json; the rest is for the Spark steps. Older versions wrote inputs without definitions. */
export const storedModelSchema = z.looseObject({
  kind: z.string(),
  runId: z.string(),
  horizonDays: z.number(),
  testCutoff: isoDate,
  libraries: z.record(z.string(), z.string()).optional(),
  inputs: z.array(z.looseObject({ name: z.string(), definition: z.string().optional() })),
  /** Of the columns from which segments are computed, for the kinds that use them. */
  segmentDefinitions: z.record(z.string(), z.string()).optional(),
});
export type StoredModel = z.infer<typeof storedModelSchema>;
