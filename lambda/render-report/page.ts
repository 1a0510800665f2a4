/** The report as one page that loads nothing from the network. */
import type { RunDetail } from '../../domain/records.ts';
import { Html, html } from './html.ts';
import { contactsSection } from './sections/contacts.ts';
import { decisionsSection } from './sections/decisions.ts';
import { driftSection } from './sections/drift.ts';
import { driversSection } from './sections/drivers.ts';
import { factsSection } from './sections/facts.ts';
import { summarySection } from './sections/headline.ts';
import { modelsSection } from './sections/models.ts';
import { qualitySection } from './sections/quality.ts';
import { readingSection } from './sections/reading.ts';
import { STYLE } from './style.ts';

/** Whatever the data holds, no script runs and nothing is fetched. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** The whole page. */
export async function reportPage(detail: RunDetail): Promise<string> {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>Churn report ${detail.scoring.cutoff} (${detail.record.run_id})</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
${summarySection(detail)}
<main>
${contactsSection(detail)}
${modelsSection(detail)}
${await qualitySection(detail)}
${decisionsSection(detail)}
${await driversSection(detail)}
${driftSection(detail)}
${readingSection(detail)}
${factsSection(detail)}
</main>
<footer class="page">This page contains user ids, but no names of people: treat it as personal data.</footer>
</body>
</html>
`;
  return page.markup;
}
