/** A stored model that is to score: found by its description. */
import { modelIn } from '../../domain/lake-objects.ts';
import type { ModelName } from '../../domain/models.ts';
import { modelNameSchema } from '../../domain/results.ts';
import type { ModelInCharge, RunPlan } from '../../domain/run.ts';
import { whyNotUsable } from '../../domain/usable-model.ts';
import type { Lake } from './lake.ts';

/** The kind of a model that can score, or why it cannot. */
export type FoundScorer =
  | { readonly kind: ModelName; readonly problem?: undefined }
  | { readonly kind?: undefined; readonly problem: string };

/** Looks for the description of a model, and whether it can score the users of a run. */
export async function findScorer(
  lake: Lake,
  { modelUri }: Pick<ModelInCharge, 'modelUri'>,
  { horizonDays }: Pick<RunPlan['training'], 'horizonDays'>,
): Promise<FoundScorer> {
  const description = await lake.glimpse(modelIn(modelUri));
  if (description === undefined)
    return { problem: `its files cannot be read: there is no model at ${modelUri}` };
  const problem = whyNotUsable(description, { horizonDays, by: 'this run' });
  if (problem !== undefined) return { problem };
  const kind = modelNameSchema.safeParse(description.kind);
  return kind.success
    ? { kind: kind.data }
    : { problem: `this version has no model of the kind ${description.kind}` };
}
