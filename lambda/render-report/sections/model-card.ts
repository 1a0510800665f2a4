/** The card of the model that scored: what it is for and not for, what it was made of, and with which parameters. */
import { FEATURES } from '../../../domain/features/catalogue.ts';
import { modelLabel } from '../../../domain/metrics.ts';
import type { ModelCard } from '../../../domain/model-card.ts';
import { modelNameSchema } from '../../../domain/results.ts';
import { counted, day, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';
import { featureLabel } from '../labels.ts';

/** Files that are named; the card has all. */
const MOST_FILES = 5;

const DESCRIPTIONS = new Map(FEATURES.map(({ name, description }) => [name, description]));

/** Undefined where no model was stored, and for models of older versions. */
export function modelCardSection(card: ModelCard | undefined): Html | undefined {
  if (card === undefined) return undefined;
  const { inputs, training } = card;
  return html`<section class="long" id="model-card">
<h2>The card of the model</h2>
<p>${card.intendedUse}</p>
<ul>${card.limits.map((limit) => html`<li>${limit}</li>`)}</ul>
<dl class="facts">
${lineage(card).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}
</dl>
<details><summary>Parameters</summary>
${table({
  caption: 'With which the model was trained',
  columns: [
    { heading: 'Parameter', cell: ([name]) => html`<span class="id">${name}</span>` },
    { heading: 'Value', cell: ([, value]) => parameterText(value) },
  ],
  rows: Object.entries(training),
})}
</details>
<details><summary>${counted(inputs.length, 'input')}</summary>
${table({
  caption:
    'What the model looks at, of the days before a cutoff; a definition changes when an input is computed otherwise',
  columns: [
    { heading: 'Input', cell: ({ name }) => html`${featureLabel(name)}<small class="id">${name}</small>` },
    { heading: 'Meaning', cell: ({ name }) => DESCRIPTIONS.get(name) ?? 'not known to this version' },
    { heading: 'Definition', cell: ({ definition }) => html`<span class="id">${definition}</span>` },
  ],
  rows: inputs,
})}
</details>
</section>`;
}

function lineage({
  kind,
  runId,
  modelUri,
  data,
  catalogue,
  release,
  libraries,
}: ModelCard): readonly (readonly [string, string | Html])[] {
  const known = modelNameSchema.safeParse(kind);
  const used = (role: string): number => data.cutoffs.filter((cutoff) => cutoff.role === role).length;
  const id = (text: string): Html => html`<span class="id">${text}</span>`;
  const snapshots = Object.entries(data.snapshots).map(([name, snapshot]) => `${name} ${snapshot ?? 'none'}`);
  const packages = Object.entries(libraries).map(([name, version]) => `${name} ${version}`);
  return [
    ['Kind', known.success ? modelLabel(known.data) : kind],
    ['Trained by run', id(runId)],
    ['Stored at', id(modelUri)],
    [
      'Learnt from',
      `${day(data.firstDay)} to ${day(data.observationEnd)}: ${counted(used('train'), 'training cutoff')}, ${counted(used('test'), 'test cutoff')}`,
    ],
    ['Snapshots', id(snapshots.join(', '))],
    ['Batch of that run', html`${id(data.batchId)}${filesText(data.files)}`],
    ['Definitions of features', id(catalogue)],
    ['Scripts and packages', id(release)],
    ...(packages.length === 0 ? [] : [['Libraries', packages.join(', ')] as const]),
  ];
}

function filesText(files: ModelCard['data']['files']): Html {
  const named = files.slice(0, MOST_FILES).map(({ uri }) => html`<br><span class="id">${uri}</span>`);
  const more = files.length - named.length;
  return html`, ${counted(files.length, 'file')}${named}${more > 0 ? html`<br>and ${whole(more)} more` : undefined}`;
}

function parameterText(value: unknown): string {
  if (value === null) return 'none';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  return String(value);
}
