/** Whether the model is as good for each part of the test users as for all of them. */
import { segmentNames } from '../../../domain/features/segment-name.ts';
import { metricOf, metricText } from '../../../domain/metrics.ts';
import type { TrainedDetail } from '../../../domain/records.ts';
import type { Estimate, Slice } from '../../../domain/results.ts';
import { sliceFigures } from '../../../domain/slice-figures.ts';
import {
  LEAST_SLICE_USERS,
  SLICE_VARIABLES,
  SLICED_MODELS,
  type SlicedModel,
  type SliceVariable,
} from '../../../domain/slices.ts';
import { counted, decimal, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { type TableColumn, table } from '../html-table.ts';

const AUC = metricOf('auc');
const VARIABLES: readonly SliceVariable[] = SLICE_VARIABLES;

/** Undefined for results of older versions, and where no model was tested. */
export function slicesSection(detail: TrainedDetail): Html | undefined {
  const { slices, segments } = detail.training;
  const models = modelsOf(detail);
  const [first] = models;
  if (first === undefined) return undefined;
  const names = segmentNames(segments);
  const parts = slices.filter(({ model }) => model === first.model).toSorted(byPlace);
  return html`<section class="long" id="slices">
<h2>Is it as good for everybody?</h2>
<p>The test users in parts, as they were known at the test cutoff. ${verdict(parts)} Intervals of 95% by formula: the share by Wilson,
predicted over cancelled from the exact interval of a count, AUC by Hanley and McNeil. Parts of fewer than ${LEAST_SLICE_USERS} users
have no figures.</p>
${table({
  caption: html`How many cancelled in each part, and what ${models.map(({ label }) => label).join(' and ')} made of it`,
  columns: [
    { heading: 'Part', cell: (slice, index) => partCell(slice, parts[index - 1], names) },
    { heading: 'Users', isNumber: true, cell: ({ users }) => whole(users) },
    { heading: 'Cancelled', isNumber: true, cell: rateCell },
    ...models.flatMap(({ model, label }) => modelColumns(model, models.length > 1 ? label : '', slices)),
  ],
  rows: parts,
})}
</section>`;
}

/** The models with slices, the one in charge first. */
function modelsOf({ training: { slices }, choice }: TrainedDetail): readonly {
  readonly model: SlicedModel;
  readonly label: string;
}[] {
  const inCharge: SlicedModel = choice?.challengerScores === false ? 'champion' : 'challenger';
  const isNobody = choice !== undefined && choice.scorer === null;
  return SLICED_MODELS.filter((model) => slices.some((slice) => slice.model === model))
    .toSorted((a, b) => Number(b === inCharge) - Number(a === inCharge))
    .map((model) => ({
      model,
      label: `the ${model}${model === inCharge && !isNobody ? ', in charge,' : ''}`,
    }));
}

function byPlace(a: Slice, b: Slice): number {
  const variable = (slice: Slice): number => VARIABLES.findIndex(({ name }) => name === slice.variable);
  return variable(a) - variable(b) || placeOf(a) - placeOf(b);
}

/** Values in their order, others behind; segments by their number. */
function placeOf({ variable, value }: Slice): number {
  const { values = [], shownBackwards } = VARIABLES.find(({ name }) => name === variable) ?? {};
  if (values.length === 0) return Number(value);
  const place = values.findIndex((one) => one.value === value);
  if (place === -1) return values.length;
  return shownBackwards === true ? values.length - 1 - place : place;
}

/** In how many parts predicted and observed differ by more than chance and a small error explain. */
function verdict(parts: readonly Slice[]): string {
  const measured = parts.flatMap((slice) => sliceFigures(slice)?.predictedObserved ?? []);
  const strange = measured.filter(({ credible }) => !credible).length;
  if (measured.length === 0) return 'None of them has enough users for figures.';
  const of = counted(measured.length, 'part');
  if (strange === 0)
    return `In none of ${of} do predicted and actual cancellations differ by more than chance and a small error explain.`;
  return `In ${strange} of ${of} predicted and actual cancellations differ by more than chance and a small error explain: among so many
intervals one in twenty misses by chance alone, so look whether the next run finds the same.`;
}

function partCell(slice: Slice, before: Slice | undefined, names: readonly string[]): Html {
  const { variable, value } = slice;
  const label = VARIABLES.find(({ name }) => name === variable)?.label ?? variable;
  const text = variable === 'segment' ? (names[Number(value) - 1] ?? value) : value;
  return html`${before?.variable === variable ? undefined : html`<small>${label}</small>`}${text}`;
}

function rateCell(slice: Slice): Html | string {
  const figures = sliceFigures(slice);
  if (figures === undefined) return 'too few';
  const { value, low, high } = figures.rate;
  return html`${percent(value)}<small>${percent(low ?? value)} to ${percent(high ?? value)}</small>`;
}

function modelColumns(
  model: SlicedModel,
  label: string,
  slices: readonly Slice[],
): readonly TableColumn<Slice>[] {
  const figuresOf = ({ variable, value }: Slice): ReturnType<typeof sliceFigures> => {
    const own = slices.find((one) => one.model === model && one.variable === variable && one.value === value);
    return own === undefined ? undefined : sliceFigures(own);
  };
  const heading = (text: string): Html | string =>
    label === '' ? text : html`${text}<small>${label}</small>`;
  return [
    {
      heading: heading('Predicted / cancelled'),
      isNumber: true,
      cell: (slice) => {
        const ratio = figuresOf(slice)?.predictedObserved;
        return html`${ratio?.credible === false ? html`<span class="tag">off</span> ` : undefined}${estimateCell(
          ratio,
          (value) => decimal(value, 2),
        )}`;
      },
    },
    {
      heading: heading(AUC.label),
      isNumber: true,
      cell: (slice) => estimateCell(figuresOf(slice)?.auc, (value) => metricText(AUC, value)),
    },
  ];
}

function estimateCell(estimate: Estimate | undefined, text: (value: number) => string): Html {
  if (estimate === undefined) return html`–`;
  const { value, low, high } = estimate;
  if (low === null || high === null) return html`${text(value)}`;
  return html`${text(value)}<small>${text(low)} to ${text(high)}</small>`;
}
