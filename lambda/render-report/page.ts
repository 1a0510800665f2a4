/** The report as one page that loads nothing from the network and runs one script, which is the same for all runs. */
import type { ModelCard } from '../../domain/model-card.ts';
import { hasTrained, type RunDetail } from '../../domain/records.ts';
import { CHAPTERS, type Chapter } from './chapters.ts';
import { ChartBook } from './charts.ts';
import { DATA_ID, type PageData, packed } from './client/page-data.ts';
import { contactData, whyNoList } from './contact-data.ts';
import type { FilesOfBatch } from './files-of-batch.ts';
import type { PastRun } from './history.ts';
import { Html, html } from './html.ts';
import { hashSource, inlineJson, inlineScript, type PageScript } from './page-script.ts';
import { cameTrueSection } from './sections/came-true.ts';
import { contactsSection } from './sections/contacts.ts';
import { curvesSection } from './sections/curves.ts';
import { decisionsSection } from './sections/decisions.ts';
import { driftSection } from './sections/drift.ts';
import { driversSection } from './sections/drivers.ts';
import { expectedQualitySection } from './sections/expected-quality.ts';
import { factsSection } from './sections/facts.ts';
import { filesSection } from './sections/files.ts';
import { hazardsSection } from './sections/hazards.ts';
import { summarySection } from './sections/headline.ts';
import { historySection } from './sections/history.ts';
import { modelCardSection } from './sections/model-card.ts';
import { modelsSection } from './sections/models.ts';
import { pageMixSection } from './sections/page-mix.ts';
import { pastSection } from './sections/past.ts';
import { qualitySection } from './sections/quality.ts';
import { readingSection } from './sections/reading.ts';
import { reconciliationSection } from './sections/reconciliation.ts';
import { retrospectiveSection } from './sections/retrospective.ts';
import { sampleSection } from './sections/sample.ts';
import { segmentsSection } from './sections/segments.ts';
import { slicesSection } from './sections/slices.ts';
import { stateTimesSection } from './sections/state-times.ts';
import { statesSection } from './sections/states.ts';
import { survivalSection } from './sections/survival.ts';
import { untrainedSection } from './sections/untrained.ts';
import { volumeSection } from './sections/volume.ts';
import { whoLeavesSection } from './sections/who-leaves.ts';
import { STYLE } from './style.ts';

export interface PageContext {
  /** The runs so far, the oldest first. */
  readonly history: readonly PastRun[];
  readonly script: PageScript;
  /** Of the model that scored, or where nobody is in charge of the one that was trained; undefined where there is none. */
  readonly card?: ModelCard | undefined;
  /** Undefined where the ledger was not read. */
  readonly files?: FilesOfBatch | undefined;
}

type Chapters = readonly (readonly [Chapter, readonly (Html | undefined)[]])[];

/** The whole page. */
export async function reportPage(detail: RunDetail, context: PageContext): Promise<string> {
  const { history, script } = context;
  const book = new ChartBook();
  const chapters = (await chaptersOf(detail, context, book)).filter(([, sections]) =>
    sections.some((section) => section !== undefined),
  );
  const data: PageData = {
    charts: book.specs,
    look: book.look,
    contacts: whyNoList(detail) === undefined ? packed(contactData(detail)) : null,
  };
  const program = inlineScript(await script());
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${new Html(policy(program))}">
<meta name="description" content="Which users are expected to cancel from ${detail.scoring.cutoff} on, whom to contact, and how far to believe it">
<title>Churn report ${detail.scoring.cutoff} (${detail.record.run_id})</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<a class="skip" href="#${CHAPTERS.contact.id}">Skip to the list</a>
<nav class="contents" aria-label="Contents"><ol>
<li><a href="#in-one-breath">In one breath</a></li>
${chapters.map(([{ id, title }]) => html`<li><a href="#${id}">${title}</a></li>`)}
</ol></nav>
<div class="content">
${summarySection(detail, history)}
<main>
${chapters.map(
  ([{ id, title, lead }, sections]) => html`<div class="chapter" id="${id}">
<h2 class="chapter-title">${title}</h2><p class="chapter-lead">${lead}</p>
${sections.flatMap((section) => section ?? [])}
</div>`,
)}
</main>
<footer class="page">This page contains user ids, but no names of people: treat it as personal data. It loads nothing from the network.</footer>
</div>
<script type="application/json" id="${DATA_ID}">${new Html(inlineJson(data))}</script>
<script>${new Html(program)}</script>
</body>
</html>
`;
  return page.markup;
}

/** Whatever the data holds, no other script runs and nothing is fetched. */
function policy(program: string): string {
  return [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    `script-src ${hashSource(program)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

async function chaptersOf(
  detail: RunDetail,
  { history, card, files }: PageContext,
  book: ChartBook,
): Promise<Chapters> {
  const { contact, believe, drives, leaves, data, time, made, segments } = CHAPTERS;
  const trained = hasTrained(detail) ? detail : undefined;
  return [
    [contact, [await contactsSection(detail, book)]],
    [
      believe,
      [
        ...(trained === undefined
          ? [untrainedSection(detail)]
          : [
              modelsSection(trained),
              pastSection(trained),
              await curvesSection(trained, book),
              await qualitySection(trained, book),
              slicesSection(trained),
              decisionsSection(trained),
              retrospectiveSection(trained),
            ]),
        await cameTrueSection(detail, book),
        expectedQualitySection(detail),
        driftSection(detail),
      ],
    ],
    [drives, trained === undefined ? [] : [await driversSection(trained, book)]],
    [
      leaves,
      trained === undefined
        ? []
        : [
            await whoLeavesSection(trained, book),
            statesSection(trained),
            await survivalSection(trained, book),
            await hazardsSection(trained, book),
            sampleSection(trained),
          ],
    ],
    [
      data,
      [
        readingSection(detail),
        filesSection(detail, files),
        await volumeSection(detail, book),
        await pageMixSection(detail, book),
        reconciliationSection(detail),
      ],
    ],
    [time, [await historySection(detail, history, book)]],
    [made, [factsSection(detail), modelCardSection(card), stateTimesSection(detail)]],
    [segments, [segmentsSection(detail)]],
  ];
}
