/** The head of the page: the answer, then the run in one breath, then the most important numbers and warnings. */
import type { RunDetail } from '../../../domain/records.ts';
import { breathOf, type Sentence } from '../breath.ts';
import type { PastRun } from '../history.ts';
import { type Html, html } from '../html.ts';
import { dataWarnings } from './warnings.ts';

const TITLES: Readonly<Record<Sentence['about'], string>> = {
  expected: 'Expected',
  worth: 'Worth',
  trust: 'Trust',
  change: 'Changed',
  data: 'Data',
};

export function breathList(detail: RunDetail, history: readonly PastRun[]): Html {
  const sentences = breathOf(detail, history, dataWarnings(detail));
  return html`<ul class="breath">
${sentences.map(
  ({ about, text, isWarning }) =>
    html`<li${isWarning ? html` class="warned"` : ''}><strong>${TITLES[about]}</strong><span>${text}</span></li>`,
)}
</ul>`;
}
