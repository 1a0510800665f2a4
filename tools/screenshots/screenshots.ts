/**
 * The pictures of the README, from a real run: `npm run screenshots -- [folder]`. The run reads its generated log, in a lake in
 * that folder (default: `.trial-screenshots`); with `--again` the run that is there is shown once more.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { chromium, type Page } from 'playwright-core';
import { findBrowser, NO_BROWSER } from '../../setup/browser.mjs';
import { projectRoot } from '../../setup/environment.mjs';
import { ansiToHtml } from './ansi.ts';

const IMAGES = join(projectRoot, 'docs', 'images');
const DESKTOP = { width: 1280, height: 860 };
const QUERY = ['query', 'users-at-risk-now'];
const ROWS_SHOWN = 8;

const STYLE = `body { margin: 0; background: #1e2430; }
pre { margin: 0; padding: 18px 22px; color: #d8dee9; font: 13px/1.5 'DejaVu Sans Mono', Menlo, monospace; white-space: pre-wrap; width: 960px; box-sizing: border-box; }
.bold { font-weight: 700; color: #ffffff; } .dim { opacity: .65; }
.red { color: #ff8f8f; } .green { color: #8fd694; } .yellow { color: #f2d479; }`;

const given = process.argv.slice(2);
const folder = resolve(given.find((argument) => !argument.startsWith('--')) ?? '.trial-screenshots');
const sessionFile = join(folder, 'session.txt');
const executablePath = findBrowser();
if (executablePath === undefined) throw new Error(NO_BROWSER);

if (!given.includes('--again')) {
  await mkdir(dirname(sessionFile), { recursive: true });
  await writeFile(sessionFile, await session(join(folder, 'lake')));
}
await mkdir(IMAGES, { recursive: true });
// Without a sandbox, because a container's root has none; the pages are this project's own.
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: DESKTOP });
  const terminal = ansiToHtml(await readFile(sessionFile, 'utf8'));
  await page.setContent(`<style>${STYLE}</style><pre>${terminal}</pre>`);
  await page.locator('pre').screenshot({ path: join(IMAGES, 'terminal.png') });
  await page.goto(`file://${await latestReport(join(folder, 'lake', 'reports'))}`);
  await shoot(page, 'report.png');
  await page.locator('#whom-to-contact').evaluate((chapter) => chapter.scrollIntoView());
  await shoot(page, 'report-contacts.png');
} finally {
  await browser.close();
}

/** What a person types and sees: a run, then the first rows of a saved query. */
async function session(lake: string): Promise<string> {
  const churn = (...args: readonly string[]) =>
    execa(process.execPath, ['bin/churn.ts', ...args, '--lake', lake], {
      cwd: projectRoot,
      env: { FORCE_COLOR: '1', NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
      stderr: 'inherit',
    });
  const { stdout: summary } = await churn('run');
  const { stdout: rows } = await churn(...QUERY);
  const shown = rows.split('\n').slice(0, ROWS_SHOWN + 2);
  const text = [`$ npx churn run\n${summary.trim()}`, `$ npx churn ${QUERY.join(' ')}\n${shown.join('\n')}`];
  // Where the lake is says nothing to readers.
  return text.join('\n\n').replaceAll(lake, '.churn');
}

async function shoot(page: Page, name: string): Promise<void> {
  // Charts are drawn again when they are seen.
  await page.waitForTimeout(1_000);
  await page.screenshot({ path: join(IMAGES, name) });
}

async function latestReport(reports: string): Promise<string> {
  const names = (await readdir(reports)).filter((name) => name.endsWith('.html') && name !== 'index.html');
  const newest = names.sort().at(-1);
  if (newest === undefined) throw new Error(`There is no report in ${reports}: leave --again out.`);
  return join(reports, newest);
}
