/** Is a sample of the users enough? The answer in a sentence, and the features of which it is made. */
import {
  COMPARED_LABEL,
  LEAST_SAMPLED_USERS,
  MEDIUM_DISTANCE,
  SAMPLE_TEST_LEVEL,
  SAMPLE_TEST_POWER,
  SAMPLE_TESTS,
  USER_SAMPLES,
} from '../../../domain/homogeneity.ts';
import type { TrainedDetail } from '../../../domain/records.ts';
import type { Homogeneity, SampleComparison, SampleDifference } from '../../../domain/results.ts';
import { counted, day, decimal, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';
import { featureLabel } from '../labels.ts';

/** Of each sample, so many features are shown before the others are unfolded. */
const SHOWN = 5;

type Verdict = 'alike' | 'unsure' | 'differs' | 'untested';

/** Undefined for results of older versions. */
export function sampleSection({ training }: TrainedDetail): Html | undefined {
  const { homogeneity, testCutoff } = training;
  if (homogeneity === null) return undefined;
  const tested = homogeneity.samples.filter(({ differences }) => differences.length > 0);
  return html`<section class="long" id="sample">
<h2>Is a sample of the users enough?</h2>
<p><strong>${sampleAnswer(homogeneity)}</strong></p>
${tested.length === 0 ? undefined : explanation(tested, testCutoff)}
${tested.map(comparison)}
</section>`;
}

/** The answer in one sentence. */
export function sampleAnswer({ users, samples }: Homogeneity): string {
  const verdicts = samples.map(verdictOf);
  return `${lead(verdicts)}: ${samples.map((sample, index) => clause(sample, users, verdicts[index] ?? 'untested')).join('; ')}.`;
}

function verdictOf(sample: SampleComparison): Verdict {
  if (sample.differences.length === 0) return 'untested';
  if (differing(sample).length > 0) return 'differs';
  return smallestFound(sample) <= MEDIUM_DISTANCE ? 'alike' : 'unsure';
}

function lead(verdicts: readonly Verdict[]): string {
  const tested = verdicts.filter((verdict) => verdict !== 'untested');
  if (tested.length === 0) return 'This was not tested';
  if (tested.includes('differs')) return 'No';
  if (!tested.includes('unsure')) return 'Yes, to describe the users';
  return tested.includes('alike') ? 'The larger one is, to describe the users' : 'This cannot be said';
}

function clause(sample: SampleComparison, users: number, verdict: Verdict): string {
  const size = counted(sample.users, 'user');
  if (verdict === 'untested')
    return sample.users < LEAST_SAMPLED_USERS
      ? `${size} are too few to compare`
      : `${size} are more than a tenth of all ${whole(users)}`;
  const { differences } = sample;
  const label = `${size} (${percent(sample.users / users)})`;
  const others = `from the other ${whole(sample.others)}`;
  if (verdict === 'differs') {
    const own = differing(sample);
    const furthest = own.reduce((most, one) => (one.distance > most.distance ? one : most));
    return `${label} differ ${others} in ${own.length} of ${differences.length} features, the most in "${nameOf(furthest)}" (by ${decimal(furthest.distance, 2)})`;
  }
  const smallest = smallestFound(sample);
  const none = `${label} differ ${others} in none of ${differences.length} features, `;
  if (smallest >= 1) return `${none}but hardly any distance would have been found`;
  const found = `a distance of ${decimal(smallest, 2)} would have been found with a probability of ${percent(SAMPLE_TEST_POWER)}`;
  return `${none}${verdict === 'unsure' ? 'but only ' : 'and '}${found}`;
}

/** Features in which a sample differs from the others, at the level that holds for all of them together. */
function differing({ differences }: SampleComparison): readonly SampleDifference[] {
  return differences.filter(({ adjusted }) => adjusted < SAMPLE_TEST_LEVEL);
}

/** The distance that would have been found in any of the features. */
function smallestFound({ differences }: SampleComparison): number {
  return Math.max(...differences.map(({ smallestFound: smallest }) => smallest ?? 1));
}

function explanation(tested: readonly SampleComparison[], testCutoff: string): Html {
  const cancelled = tested
    .map(({ users, cancelled: some }) => `${whole(some)} of ${whole(users)}`)
    .join(', ');
  return html`<p>Users are drawn by a hash, and compared with those who were not drawn, as they were on ${day(testCutoff)}. A distance
is how far the shares of users at or below a value are apart where they are furthest apart, or for yes or no how far the shares of yes
are; ${decimal(MEDIUM_DISTANCE, 1)} would be called medium. P-values are corrected for all features together (Holm). To train a model is
another matter: it learns from those who cancel, and of the drawn users these are few (${cancelled}).</p>`;
}

function comparison(sample: SampleComparison): Html {
  const { differences } = sample;
  const name = USER_SAMPLES.find((one) => one.name === sample.sample)?.label ?? sample.sample;
  const caption = `${name}: ${counted(sample.users, 'user')} beside ${whole(sample.others)} others`;
  return html`${featuresTable(`${caption}, the least probable differences`, differences.slice(0, SHOWN))}
<details><summary>All ${differences.length} features</summary>
${featuresTable(caption, differences)}
</details>`;
}

function featuresTable(caption: string, rows: readonly SampleDifference[]): Html {
  const labels = new Map<string, string>(SAMPLE_TESTS.map(({ name, label }) => [name, label]));
  return table({
    caption,
    columns: [
      { heading: 'Feature', cell: (row) => nameOf(row) },
      { heading: 'Test', cell: ({ test }) => labels.get(test) ?? test },
      { heading: 'Distance', isNumber: true, cell: ({ distance }) => decimal(distance, 3) },
      {
        heading: 'Smallest found',
        isNumber: true,
        cell: ({ smallestFound: smallest }) => (smallest === null ? '–' : decimal(smallest, 3)),
      },
      { heading: 'p', isNumber: true, cell: ({ pValue }) => decimal(pValue, 4) },
      { heading: 'p, corrected', isNumber: true, cell: ({ adjusted }) => decimal(adjusted, 4) },
    ],
    rows,
  });
}

function nameOf({ feature }: SampleDifference): string {
  return feature === COMPARED_LABEL ? 'Cancels within the horizon' : featureLabel(feature);
}
