/** The report in a real browser, headless. Without an installed one these tests do not run; in CI that fails. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { livingBins } from '../../../domain/living-bins.ts';
import { breakEven, DEFAULT_TERMS, listOf, profitOfContact, type Terms } from '../../../domain/money.ts';
import { hasTrained, type RunDetail } from '../../../domain/records.ts';
import { addDays } from '../../../domain/time.ts';
import { chooseModel } from '../../../lambda/choose-model/decide.ts';
import { CHAPTERS } from '../../../lambda/render-report/chapters.ts';
import { money, percentText, whole } from '../../../lambda/render-report/figures-text.ts';
import { reportPage } from '../../../lambda/render-report/page.ts';
import { localPageScript } from '../../../local/run/page-script.ts';
import { browserExecutable, mustHaveBrowser } from '../../support/browser.ts';
import { storedRun } from '../../support/stored-run.ts';

const HOSTILE = '=<img src=x onerror=alert(1)></script><script>alert(2)</script>';
/** A page must be usable this long after it was opened, on a quiet machine; tests share theirs. */
const OPEN_MILLISECONDS = 10_000;

it('has a browser to run in, in CI', () => {
  expect(browserExecutable !== undefined || !mustHaveBrowser).toBe(true);
});

/** A run with a list of 400 users, one of them hostile. */
async function detailOfRun(): Promise<RunDetail> {
  const { detail } = await storedRun();
  const top = Array.from({ length: 400 }, (_, index) => ({
    userId: index === 3 ? HOSTILE : String(100_000 + index),
    probability: 0.6 * 0.99 ** index,
    level: index % 3 === 0 ? 'paid' : 'free',
    inControlGroup: index % 10 === 9,
    reasons: index % 2 === 0 ? ['adverts', 'habit'] : ['enjoyment'],
  }));
  const probabilities = top.map(({ probability, inControlGroup }) => ({
    bin: Math.floor(probability * 2_000),
    users: inControlGroup ? 0 : 1,
    expected: inControlGroup ? 0 : probability,
    control: inControlGroup ? 1 : 0,
  }));
  // The tenth day of the log is missing.
  const days = Array.from({ length: 40 }, (_, index) => ({
    day: addDays('2018-10-01', index),
    events: 1_000 + index,
  })).filter((_, index) => index !== 9);
  const features = { ...detail.features, firstDay: '2018-10-01', observationEnd: '2018-11-10', days };
  return { ...detail, features, scoring: { ...detail.scoring, users: 400, top, probabilities } };
}

describe.skipIf(browserExecutable === undefined)('the report in a browser', () => {
  let browser: Browser;
  let folder: string;
  let detail: RunDetail;
  let address: string;

  const written = async (name: string, of: RunDetail): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, await reportPage(of, { history: [], script: localPageScript }));
    return pathToFileURL(path).href;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'churn-report-'));
    detail = await detailOfRun();
    address = await written('report.html', detail);
    browser = await chromium.launch({
      executablePath: browserExecutable ?? '',
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    });
  });

  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Opens a page, and gathers what must not happen in it. */
  async function opened(
    options: Parameters<Browser['newPage']>[0] = {},
    of = address,
  ): Promise<{ readonly page: Page; readonly complaints: string[] }> {
    const page = await browser.newPage(options);
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`));
    page.on('request', (request) => {
      if (!/^(file|blob):/.test(request.url())) complaints.push(`request: ${request.url()}`);
    });
    await page.goto(of, { timeout: OPEN_MILLISECONDS });
    return { page, complaints };
  }

  /** Scrolls through the page, so that every chart is seen. */
  async function readThrough(page: Page): Promise<void> {
    const charts = page.locator('.chart');
    for (let index = 0; index < (await charts.count()); index += 1) {
      await charts.nth(index).scrollIntoViewIfNeeded();
      await expect.poll(() => charts.nth(index).getAttribute('class')).toContain('alive');
    }
  }

  const figure = (page: Page, name: string): Promise<string | null> =>
    page.locator(`#contacts [data-figure="${name}"]`).first().textContent();
  const set = (page: Page, name: keyof Terms, value: number): Promise<void> =>
    page.locator(`#term-${name}`).fill(String(value));

  it('has every chapter, brings every chart to life, and complains of nothing', async () => {
    const { page, complaints } = await opened();
    for (const { id, title } of Object.values(CHAPTERS)) {
      expect(await page.locator(`#${id} > h2`).textContent(), id).toBe(title);
      expect(await page.locator(`nav.contents a[href="#${id}"]`).count()).toBe(1);
    }
    await readThrough(page);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('lets no other script run: neither one that is added, nor text that is made code', async () => {
    const { page, complaints } = await opened();
    const ran = await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "taken"';
      document.body.append(script);
      const element = document.createElement('div');
      element.setAttribute('onclick', 'document.title = "taken"');
      element.click();
      return document.title;
    });
    expect(ran).toContain('Churn report');
    expect(complaints.join('\n')).toMatch(/Content Security Policy/);
    await page.close();
  });

  it("shows the steps' own figures for any terms", async () => {
    const { page } = await opened();
    const bins = livingBins(detail.scoring);
    for (const terms of [
      DEFAULT_TERMS,
      { offerCost: 30, contactCost: 2.5, customerValue: 400, acceptance: 0.45 },
      { offerCost: 5, contactCost: 0.5, customerValue: 120, acceptance: 0.2 },
    ]) {
      await set(page, 'offerCost', terms.offerCost);
      await set(page, 'contactCost', terms.contactCost);
      await set(page, 'customerValue', terms.customerValue);
      await set(page, 'acceptance', 100 * terms.acceptance);
      const list = listOf(bins, terms);
      expect(await figure(page, 'break-even')).toBe(percentText(breakEven(terms)));
      expect(await figure(page, 'list-size')).toBe(whole(list.users));
      expect(await figure(page, 'list-profit')).toBe(money(list.profit));
      expect(await figure(page, 'shown')).toContain(`${whole(list.users)} users.`);
      expect(await page.locator('table.users tbody tr:first-child td').nth(1).textContent()).toBe(
        money(profitOfContact(0.6, terms)),
      );
    }
    await page.close();
  });

  it('says so when the terms leave nobody to contact', async () => {
    const { page } = await opened();
    expect(await page.locator('.nobody-note').isVisible()).toBe(false);
    await set(page, 'customerValue', 10);
    expect(await page.locator('.nobody-note').isVisible()).toBe(true);
    expect(await page.locator('table.users').isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Back to the defaults' }).click();
    await expect.poll(() => page.locator('table.users').isVisible()).toBe(true);
    await page.close();
  });

  it('searches and sorts the list, and never shows the control group in it', async () => {
    const { page } = await opened();
    const ids = (): Promise<string[]> => page.locator('table.users tbody th').allTextContents();
    const inControl = new Set(
      detail.scoring.top.filter((user) => user.inControlGroup).map(({ userId }) => userId),
    );
    expect((await ids()).filter((id) => inControl.has(id))).toEqual([]);
    await page.getByRole('searchbox').fill('paid dislikes');
    const levels = await page.locator('table.users tbody td:nth-child(4)').allTextContents();
    expect(new Set(levels)).toEqual(new Set(['paid']));
    await page.getByRole('searchbox').fill('');
    await page.locator('th[data-order=id] button').click();
    const upwards = (await ids()).filter((id) => id !== HOSTILE);
    expect(upwards).toEqual(upwards.toSorted());
    await page.locator('th[data-order=id] button').click();
    expect(Number((await ids())[0])).toBeGreaterThan(Number(upwards.at(-1)));
    expect(await page.locator('th[data-order=id]').getAttribute('aria-sort')).toBe('descending');
    await page.close();
  });

  it('downloads what is shown, with formulas made text', async () => {
    const { page, complaints } = await opened();
    await page.getByRole('searchbox').fill('img');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download as CSV' }).click(),
    ]);
    const text = await readFile(await download.path(), 'utf8');
    expect(download.suggestedFilename()).toBe('contacts-run-1.csv');
    const [head, row, ...rest] = text.split('\r\n');
    expect(head).toBe('user_id,probability,value,level,reasons,run_id');
    expect(row?.startsWith(`'${HOSTILE},`)).toBe(true);
    expect(rest).toEqual(['']);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it.each([
    ['light', 1_280],
    ['dark', 1_280],
    ['light', 390],
  ] as const)('has no barrier that axe finds, in %s colours, %i wide', async (colorScheme, width) => {
    const viewport = { width, height: 800 };
    const context = await browser.newContext({ bypassCSP: true, colorScheme, viewport });
    const page = await context.newPage();
    await page.goto(address);
    await readThrough(page);
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
    const violations: string = await page.evaluate(
      `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
        JSON.stringify(violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 200)).join(' | '))))`,
    );
    expect(JSON.parse(violations)).toEqual([]);
    await context.close();
  });

  it.each([
    ['phone', 390],
    ['desktop', 1_400],
  ])('is not wider than the window of a %s', async (_name, width) => {
    const { page } = await opened({ viewport: { width, height: 800 } });
    await readThrough(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.close();
  });

  it.each([
    ['phone', 390],
    ['desktop', 1_400],
  ])(
    'keeps whatever it is scrolled to clear of the contents, in the window of a %s',
    async (_name, width) => {
      const { page } = await opened({ viewport: { width, height: 800 } });
      const hidden = await page.evaluate(() => {
        const bar = document.querySelector('nav.contents');
        const below = (element: Element): boolean => {
          element.scrollIntoView();
          const { bottom, right } = bar?.getBoundingClientRect() ?? new DOMRect();
          const { top, left } = element.getBoundingClientRect();
          return top >= bottom || left >= right;
        };
        return [...document.querySelectorAll('.chapter, main section, main h3, main summary')]
          .filter((element) => element.checkVisibility() && !below(element))
          .map((element) => element.id || element.textContent);
      });
      expect(hidden).toEqual([]);
      await page.close();
    },
  );

  it('says the same without scripts: charts as pictures, the first users, no dead controls', async () => {
    const { page } = await opened({ javaScriptEnabled: false });
    expect(await page.locator('.chart svg').count()).toBe(await page.locator('.chart').count());
    expect(await page.locator('table.users tbody tr').count()).toBe(50);
    for (const dead of ['form.terms', 'button.download', 'input[type=search]']) {
      expect(await page.locator(dead).isVisible(), dead).toBe(false);
    }
    await page.close();
  });

  it('gives a reason instead of a list when the model cannot be trusted', async () => {
    if (!hasTrained(detail)) throw new Error('the fixture trains');
    const { plan, training, ingest, features } = detail;
    const unreliable = { ...training, reliable: false, reliabilityReason: '12 cancellations are too few' };
    const situation = {
      plan: { ...plan, champion: null },
      training: { ...unreliable, champion: null },
      ingest,
    };
    const choice = chooseModel({ ...situation, observationEnd: features.observationEnd });
    const untrusted = { ...detail, training: unreliable, choice };
    const { page, complaints } = await opened({}, await written('untrusted.html', untrusted));
    expect(await page.locator('#contacts').textContent()).toMatch(
      /Nobody should be contacted .*nobody is in charge: .*12 cancellations are too few/,
    );
    expect(await page.locator('table.users').count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('is a page of at most 2 MB with 2,000 users', async () => {
    const [first] = detail.scoring.top;
    if (first === undefined) throw new Error('the fixture has no users');
    const top = Array.from({ length: 2_200 }, (_, index) => ({
      ...first,
      userId: `u${index}`,
      reasons: ['adverts', 'habit', 'tenure'],
    }));
    const page = await reportPage(
      { ...detail, scoring: { ...detail.scoring, top } },
      { history: [], script: localPageScript },
    );
    expect(Buffer.byteLength(page)).toBeLessThan(2_000_000);
  });
});
