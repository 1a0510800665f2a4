import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Choice, storedModelSchema } from '../../../domain/choice.ts';
import { isExemptFromDriftAlarm } from '../../../domain/drift-thresholds.ts';
import { FEATURES } from '../../../domain/features/catalogue.ts';
import { metricHeading } from '../../../domain/metrics.ts';
import { modelCard } from '../../../domain/model-card.ts';
import { METRICS, type MetricName } from '../../../domain/models.ts';
import type { RunDetail, TrainedDetail } from '../../../domain/records.ts';
import type { Drivers, Exploration, LivingSegments } from '../../../domain/results.ts';
import { breathOf } from '../../../lambda/render-report/breath.ts';
import { between, bytes, duration } from '../../../lambda/render-report/format.ts';
import { escaped, html } from '../../../lambda/render-report/html.ts';
import { reportLink } from '../../../lambda/render-report/link.ts';
import { reportPage } from '../../../lambda/render-report/page.ts';
import { renderReport } from '../../../lambda/render-report/render-report.ts';
import { readDeployment } from '../../../lambda/run/deployment.ts';
import { EXPLORATION } from '../../support/exploration-fixture.ts';
import type { MemoryPorts } from '../../support/memory-ports.ts';
import { at, worldOn } from '../../support/run-fixture.ts';
import { slicesOf } from '../../support/slices-fixture.ts';
import { storedRun } from '../../support/stored-run.ts';

let ports: MemoryPorts;
let detail: TrainedDetail;
let page: string;

const CONTEXT = { history: [], script: async () => 'void 0' };
const render = (of: RunDetail): Promise<string> => reportPage(of, CONTEXT);

beforeAll(async () => {
  ({ ports, detail } = await storedRun());
  page = await render(detail);
});

/** What a reader sees of the page: no markup, entities resolved, blanks folded. */
function textOf(markup: string): string {
  return markup
    .replaceAll(/<(style|script)\b[\s\S]*?<\/\1>|<[^>]*>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replaceAll(/\s+/g, ' ');
}

/** The markup of one section, by its id. */
function section(id: string, of = page): string {
  return new RegExp(`<section[^>]* id="${id}">[\\s\\S]*?</section>`).exec(of)?.[0] ?? '';
}

describe('the page', () => {
  it('has its chapters in the order in which people ask, and contents that follow it', () => {
    const order = [
      ...['whom-to-contact', 'can-i-believe-it', 'what-drives-it', 'who-leaves', 'the-data', 'over-time'],
      ...['how-it-was-made', 'segments-of-users'],
    ];
    const found = (pattern: RegExp): readonly (string | undefined)[] =>
      [...page.matchAll(pattern)].map(([, id]) => id);
    expect(found(/<div class="chapter" id="([^"]*)"/g)).toEqual(order);
    expect(found(/<li><a href="#([^"]*)"/g)).toEqual(['in-one-breath', ...order]);
    expect(page.indexOf('id="in-one-breath"')).toBeLessThan(page.indexOf('class="chapter"'));
  });
});

describe('the record over time', () => {
  it('has a row for each earlier cutoff, with its training rows and intervals', () => {
    const text = textOf(section('past'));
    expect(text).toContain('4 November 2018 1,700 2 cutoffs, 45 cancellations 940');
    expect(text).toMatch(/0\.740 0\.670 to 0\.810/);
    expect(text).toMatch(/1\.10 0\.\d\d to 1\.\d\d/);
    expect(text).toContain('not fitted: too few');
  });

  it('is left out where there is none', async () => {
    const { training } = detail;
    expect(await render({ ...detail, training: { ...training, past: [] } })).not.toContain('id="past"');
  });
});

describe('the parts of the test users', () => {
  const withSlices = (slices: TrainedDetail['training']['slices'], choice = detail.choice): Promise<string> =>
    render({ ...detail, choice, training: { ...detail.training, slices } });

  it('have counts, rates and figures with intervals, and say where they are too few', () => {
    const text = textOf(section('slices'));
    expect(text).toContain('Subscription paid 580 2.6% 1.6% to 4.2% 1.09 0.66 to 1.95 0.760 0.6');
    expect(text).toMatch(/Linux 49 too few – –/);
    // 2.1 predicted where 9 came.
    expect(text).toContain('under 2 weeks 100 9% 4.8% to 16.2% off 0.23 0.12 to 0.51');
    expect(text).toMatch(/In 1 of 1\d parts predicted and actual cancellations differ/);
    expect(text).toMatch(/Segment like most users 700/);
    // The order of the definition, not of the alphabet.
    expect(text.indexOf('under 2 weeks')).toBeLessThan(text.indexOf('2 to 4 weeks'));
  });

  it('show the model in charge first, with the other beside it', async () => {
    const { choice } = detail;
    if (choice === undefined) throw new Error('the fixture has a choice');
    const both = [...slicesOf('challenger', 0.76), ...slicesOf('champion', 0.7)];
    const ours = textOf(section('slices', await withSlices(both)));
    expect(ours).toContain('what the challenger, in charge, and the champion made of it');
    expect(ours).toMatch(/Subscription paid 580 2\.6% 1\.6% to 4\.2% 1\.09 \S+ to \S+ 0\.760 [^–]*? 0\.700/);
    const theirs = textOf(section('slices', await withSlices(both, { ...choice, challengerScores: false })));
    expect(theirs).toContain('what the champion, in charge, and the challenger made of it');
    expect(theirs).toMatch(
      /Subscription paid 580 2\.6% 1\.6% to 4\.2% 1\.09 \S+ to \S+ 0\.700 [^–]*? 0\.760/,
    );
  });

  it('are left out where there are none, and say so where all are too few', async () => {
    expect(await withSlices([])).not.toContain('id="slices"');
    const few = slicesOf('challenger', 0.7).map((slice) => ({ ...slice, users: 20, cancelled: 1 }));
    expect(textOf(section('slices', await withSlices(few)))).toContain('None of them has enough users');
  });
});

describe('what drives the model', () => {
  const withDrivers = (
    changed: Partial<TrainedDetail['training']>,
    choice = detail.choice,
  ): Promise<string> => render({ ...detail, choice, training: { ...detail.training, ...changed } });

  it('is how far the AUC falls, by groups and by features with their direction', () => {
    const drivers = section('drivers');
    expect(textOf(drivers)).toContain('5 times for a group of features and 3 times for a feature');
    expect(drivers).toContain('Likes, dislikes and friends 0.080, Adverts they hear 0.040, Device -0.001');
    expect(drivers).toContain(
      'Thumbs down per song, last 28 days 0.060 (the higher, the likelier to cancel)',
    );
    expect(drivers).toContain('Paid subscription 0.020 (the higher, the less likely to cancel)');
    expect(drivers).toContain('Days since change of level 0.010 (in no one direction)');
  });

  it('shows who cancelled across the range of each leading feature, with the number of users', () => {
    const drivers = section('drivers');
    const text = textOf(drivers);
    expect(text).toContain(
      'Thumbs down per song, last 28 days (the higher, the likelier to cancel) Value Users Cancelled',
    );
    expect(text).toMatch(/0 to 0\.008 500 1% 0\.4–2\.3% 1\.2% 0\.009 to 0\.02 300 4% 2\.3–6\.9% 3\.8%/);
    expect(text).toMatch(/ no 420 6% .*? yes 580 2\.6% /);
    // Missing says something here.
    expect(text).toMatch(/ never 800 3\.5% 2\.4–5% /);
    // A line for each band: its interval on a scale that begins at 0.
    expect(drivers.match(/<path class="interval"/g)).toHaveLength(8);
    const [, low, high] = /class="interval" d="M([\d.]+) 7H([\d.]+)"/.exec(drivers) ?? [];
    expect(Number(low)).toBeCloseTo((76 * 0.0043) / 0.1651, 0);
    expect(Number(high)).toBeCloseTo((76 * 0.0232) / 0.1651, 0);
  });

  it('shows the first six features at once, and the others when they are asked for', async () => {
    const { drivers } = detail.training;
    const [feature] = drivers?.features ?? [];
    if (drivers === null || feature === undefined) throw new Error('the fixture has drivers');
    const features = Array.from({ length: 8 }, () => feature);
    const shown = section('drivers', await withDrivers({ drivers: { ...drivers, features } }));
    expect(shown.split('<details>').map((part) => part.match(/class="range"/g)?.length)).toEqual([6, 2]);
    expect(shown).toContain('2 more features');
  });

  it('names channels of segments by their rate, and says when the model is not in charge', async () => {
    const { drivers } = detail.training;
    const { choice } = detail;
    if (drivers === null || choice === undefined) throw new Error('the fixture has drivers and a choice');
    const features = drivers.features.map((one) => ({ ...one, feature: 'paid_adverts_half_life_56' }));
    const changed = { drivers: { ...drivers, features } };
    const page = await withDrivers(changed, { ...choice, challengerScores: false });
    expect(section('drivers', page)).toContain('Adverts per paid song 0.060');
    expect(textOf(section('drivers', page))).toContain('which is not in charge');
    expect(textOf(section('drivers'))).not.toContain('which is not in charge');
  });

  it('is the share that each feature brings where a result of an older version says no more', async () => {
    const older = section('drivers', await withDrivers({ drivers: null }));
    expect(textOf(older)).toContain('Which features the model uses');
    expect(older).toContain('Thumbs down per song, last 28 days');
  });
});

describe('the events of each day', () => {
  const withDays = (days: RunDetail['features']['days']): RunDetail => ({
    ...detail,
    features: { ...detail.features, firstDay: '2018-10-01', observationEnd: '2018-10-13', days },
  });
  const eventsOf = (day: number): number => (day === 6 ? 40 : 1_000 + day);
  const days = Array.from({ length: 12 }, (_, index) => index + 1)
    .filter((day) => day !== 9)
    .map((day) => ({ day: `2018-10-${String(day).padStart(2, '0')}`, events: eventsOf(day) }));

  it('are a chart with the days that are missing or thin, which are listed too', async () => {
    const volume = section('volume', await render(withDays(days)));
    expect(volume).toContain('<svg');
    expect(textOf(volume)).toContain('Marked: 2 days without events or with less than a fifth');
    expect(textOf(volume)).toMatch(/9 October 2018 0 1,00\d 6 October 2018 40 1,00\d/);
  });

  it('say that nothing is missing where nothing is', async () => {
    const whole = [...days.filter(({ day }) => day !== '2018-10-06'), { day: '2018-10-06', events: 1_006 }];
    const text = textOf(
      section('volume', await render(withDays([...whole, { day: '2018-10-09', events: 1_009 }]))),
    );
    expect(text).toContain('No day is missing');
  });

  it('are left out of reports of runs that did not record them', async () => {
    expect(section('volume', await render(withDays(undefined)))).toBe('');
  });
});

describe('what to expect of the scores', () => {
  it('is said beside the test rows, and not where probabilities are withheld', async () => {
    const page = await render(detail);
    expect(page).toContain('id="expected-quality"');
    expect(page).toContain('decides nothing');
    const { probabilities: _, ...older } = detail.scoring;
    expect(await render({ ...detail, scoring: older })).not.toContain('id="expected-quality"');
  });
});

describe('the published figures', () => {
  it('stand beside the same recipe and ours on this log, all marked leaky with the reason', () => {
    const markup = section('retrospective');
    const text = textOf(markup);
    expect(markup.match(/<caption>/g)).toHaveLength(4);
    expect(markup.match(/<caption><span class="tag plain">leaky<\/span>/g)).toHaveLength(4);
    expect(text).toContain('a short membership gives the answer away');
    expect(text).toContain(
      'the AUC of ours is +0.041 (95% interval +0.021 to +0.062) compared with “Random forest',
    );
    expect(text).toContain(
      'Random forest, six features published, of another log 0.844 0.765 0.758 0.809 0.783',
    );
    expect(text).toContain('Random forest, six features on this log 0.830 0.750 0.760 0.790 0.775');
    expect(text).toContain('Gradient-boosted trees, our features on this log');
  });

  it('are shown alone where a run has not done it again', async () => {
    const markup = section(
      'retrospective',
      await render({ ...detail, training: { ...detail.training, retrospective: null } }),
    );
    expect(markup.match(/<caption>/g)).toHaveLength(2);
    expect(textOf(markup)).toContain('0.844 0.765 0.758 0.809 0.783');
    expect(textOf(markup)).not.toContain('on this log 0.');
  });
});

describe('who leaves', () => {
  const pageWith = async (changed: Partial<Exploration> | null): Promise<string> => {
    const exploration = changed === null ? null : { ...EXPLORATION, ...changed };
    return render({ ...detail, training: { ...detail.training, exploration } });
  };

  it('shows rates with intervals, measures, pages, days of the week and survival', async () => {
    const page = await pageWith({});
    expect(page).toContain('200 users cancelled at least once (17.2% of 1,160)');
    for (const id of [
      'cancelled-by-level',
      'cancelled-by-state',
      'weekdays-of-use',
      'hours-of-use',
      'survival-all',
      'survival-level',
    ])
      expect(page, id).toContain(`id="${id}"`);
    expect(page).toContain('Subscription: free 20%, paid 14.3%');
    expect(page).toContain('for those who cancelled from 23:00 (8.3%)');
    // With fewer than 20 users, a rate says next to nothing.
    expect(page).not.toContain('Linux 33');
    expect(page).not.toContain('id="survival-joined"');
    expect(page).toMatch(/Half of the users have cancelled 245 days|users are still there/);
  });

  it('says on which days they leave, with intervals and days at risk', async () => {
    const hazards = section('hazards', await pageWith({}));
    expect(hazards).toContain('id="hazard-by-weekday"');
    expect(hazards).toContain('id="hazard-by-level-change"');
    expect(textOf(hazards)).toContain('Monday 1,100 8,000 20 2.50 1.53 to 3.86');
    expect(hazards).toContain('no change seen 5.50');
    // On no same day were there users enough.
    expect(hazards).not.toContain('same day');
    const older = await pageWith({ hazards: [], hours: [] });
    expect(older).not.toContain('id="hazards"');
    expect(older).not.toContain('id="hours-of-use"');
  });

  it('is left out where nobody cancelled, and for results that lack it', async () => {
    expect(await pageWith({ churned: 0, survival: [] })).not.toContain('id="who-cancelled"');
    expect(await pageWith(null)).not.toContain('id="who-cancelled"');
    const older = { ...detail.training, exploration: null, homogeneity: null };
    expect(await render({ ...detail, training: older })).not.toContain('who-leaves');
  });

  it('draws a map of the states with a table beside it, grey where users are few', async () => {
    const states = section('states', await pageWith({}));
    expect(states.match(/<path /g)).toHaveLength(51);
    expect(states).toContain('<title>New York: 30% of 100 users cancelled</title>');
    expect(states).toMatch(/style="fill:color-mix\([^"]*98%[^"]*"><title>New York/);
    expect(states).toMatch(/style="fill:color-mix\([^"]*18%[^"]*"><title>California/);
    expect(states).toContain('style="fill:var(--rule)"><title>Rhode Island: 15 users, too few</title>');
    expect(states).toContain('style="fill:var(--rule)"><title>Texas: no users</title>');
    expect(states).toMatch(/<svg [^>]*role="img" aria-labelledby="states-title states-description"/);
    expect(textOf(states)).toMatch(/Rhode Island 15 33\.3% 15\.2% to 58\.3%/);
  });

  it('draws the map where a single state has users enough', async () => {
    const groups = EXPLORATION.groups.map((group) =>
      group.value === 'NY' ? { ...group, churned: 1, stayed: 2 } : group,
    );
    const states = section('states', await pageWith({ groups }));
    expect(states).toContain('<title>California: 16.7% of 240 users cancelled</title>');
    expect(states.match(/class="swatch"/g)).toHaveLength(2);
  });

  it('draws no map where fewer than half of the places name a state', async () => {
    const groups = EXPLORATION.groups.map((group) =>
      group.value === '<b>' ? { ...group, churned: 100, stayed: 256 } : group,
    );
    expect(section('states', await pageWith({ groups }))).toBe('');
    const [most = groups[0]] = groups.filter(({ value }) => value === '<b>');
    const half = groups.map((group) => (group === most ? { ...group, stayed: 255 } : group));
    expect(section('states', await pageWith({ groups: half }))).toContain('<path ');
  });

  it('answers whether a sample of the users is enough, feature by feature', () => {
    const text = textOf(section('sample'));
    expect(text).toContain('Yes, to describe the users: 200 users (1%) differ from the other 19,800');
    expect(text).toContain('the drawn users these are few (9 of 200, 20 of 449)');
    expect(text).toContain("Cancels within the horizon Fisher's exact 0.010 0.150 0.0400 0.2400");
    expect(text).toContain('All 6 features');
  });
});

describe('the Lambda render-report', () => {
  it('writes the page and returns its address and the link that opens it', async () => {
    const output = await renderReport(
      { runId: 'run-1', executionArn: 'arn' },
      worldOn(ports),
      async () => 'void 0',
    );
    expect(output.reportUri).toBe(at('reports/run-1.html'));
    expect(output.link).toBe(
      'https://us-east-1.console.aws.amazon.com/s3/object/lake?region=us-east-1&prefix=reports%2Frun-1.html',
    );
    const written = ports.objects.text(output.reportUri) ?? '';
    expect(section('contacts', written) === section('contacts')).toBe(true);
    expect(textOf(section('history', written))).toContain('Recorded so far: 1 run');
    expect(textOf(section('model-card', written))).toContain(
      'Trained by run run-1 Stored at s3://lake/models/run-1',
    );
  });

  it('names what is missing if a run has no detail', async () => {
    const rendered = renderReport({ runId: 'run-0', executionArn: 'arn' }, worldOn(ports));
    await expect(rendered).rejects.toThrow(
      /There is no detail of the run at s3:\/\/lake\/runs\/run-0\/detail\.json/,
    );
  });

  it('links to a local file by its path', () => {
    expect(reportLink('file:///tmp/lake/reports/x.html', 'us-east-1')).toBe(
      'file:///tmp/lake/reports/x.html',
    );
  });
});

describe('the report page', () => {
  it.each([
    ['market', /by list prices of .*, spot instances at their actual price/],
    ['table', /by list prices of .*, spot instances too: their actual price is unknown, but not higher/],
  ] as const)('shows the source of the prices of spot instances: %s', async (source, note) => {
    const record = { ...detail.record, cost_usd: 0.4, spot_price_source: source };
    expect(textOf(section('facts', await render({ ...detail, record })))).toMatch(note);
  });

  it("shows the run's estimated cost beside its actual cost", async () => {
    const plan = { ...detail.plan, cluster: { ...detail.plan.cluster, estimatedUsd: 0.61 } };
    const facts = textOf(section('facts', await render({ ...detail, plan })));
    expect(facts).toMatch(/Estimated cost USD 0\.61/);
  });

  it('begins with the answer in plain words', () => {
    const heading = textOf(/<h1>[\s\S]*?<\/h1>/.exec(page)?.[0] ?? '').trim();
    expect(heading).toBe('38 of 960 living users expected to cancel between 3 and 16 December 2018');
  });

  it('names the file with the list, where there is one', async () => {
    const campaign = { uri: 's3://lake/runs/run-1/campaign.csv', users: 3 };
    const named = section('contacts', await render({ ...detail, scoring: { ...detail.scoring, campaign } }));
    expect(textOf(named)).toContain(
      'the list has 3 users: it is in s3://lake/runs/run-1/campaign.csv for 30 days',
    );
    expect(section('contacts')).not.toContain('campaign.csv');
  });

  it('lists the users to contact, and marks the control group as not to be contacted', () => {
    const [contacts = '', control = ''] = section('contacts').split('<details');
    expect(textOf(contacts)).toContain(
      '100042 61.0% 29.87 paid 4 visits to Downgrade in 7 days, typically 0 · 2 adverts per free song, typically 0.1',
    );
    expect(contacts).not.toContain('300011');
    expect(textOf(control)).toMatch(
      /Do not contact: control group.*300011 47.0% free Adverts they hear control group/,
    );
  });

  it('shows every model with its metrics and marks only the chosen one', () => {
    const models = section('models');
    expect(models.match(/<tr class="chosen">/g)).toHaveLength(1);
    expect(textOf(/<tr class="chosen">[\s\S]*?<\/tr>/.exec(models)?.[0] ?? '')).toMatch(
      /Gradient-boosted trees chosen 0\.763 0\.703 to 0\.823 3\.65 3\.50/,
    );
    for (const label of ['Logistic regression', 'Random forest', 'Base rate', 'Days since last seen']) {
      expect(textOf(models)).toContain(label);
    }
  });

  it('shows a candidate that could not be fitted as that, and not as a row of figures', () => {
    const models = textOf(section('models'));
    expect(models).toContain('Segments and trees, their mean: not fitted: too few');
    expect(models.match(/Segments and trees/g)).toHaveLength(1);
  });

  it('shows users who behave alike by plain names, with their size and how many cancel', () => {
    expect(textOf(section('segments'))).toContain('like most users 70% 3% 4.5%');
    expect(textOf(section('segments'))).toContain('dislikes three times as often as usual');
    expect(textOf(section('segments'))).not.toContain('Value at risk');
  });

  it('shows the living users of each segment, their value at risk, and who has moved', async () => {
    const [typical, grumpy] = detail.training.segments;
    if (typical === undefined || grumpy === undefined) throw new Error('the fixture has two segments');
    const segments = [
      { ...typical, users: 700, expected: 21.4 },
      { ...grumpy, users: 260, expected: 17 },
    ];
    const moves = [
      { before: 0, now: 0, users: 640 },
      { before: 0, now: 1, users: 12 },
      { before: 1, now: 0, users: 30 },
    ];
    const shown = async (living: LivingSegments): Promise<string> =>
      textOf(
        section('segments', await render({ ...detail, scoring: { ...detail.scoring, segments: living } })),
      );
    const text = await shown({ segments, moved: { since: '2018-11-28', moves } });
    expect(text).toContain('like most users 70% 3% 4.5% 700 21.4 4,280');
    expect(text).toContain('Since 28 November 2018, 42 of 682 users have moved to another segment');
    expect(text).toMatch(/Downgrade twice as often as usual like most users 30 like most users dislikes/);
    const withheld = segments.map((segment) => ({ ...segment, expected: null }));
    const alone = await shown({ segments: withheld, moved: null });
    expect(alone).toContain('like most users 70% 3% 4.5% 700 withheld withheld');
    expect(alone).not.toContain('moved to another segment');
    const still = await shown({ segments, moved: { since: '2018-11-28', moves: moves.slice(0, 1) } });
    expect(still).toContain(
      'Since 28 November 2018, 0 of 640 users have moved to another segment; both days',
    );
  });

  it('shows segments of the model in charge where nothing was trained', async () => {
    const segments = detail.training.segments.map((segment) => ({ ...segment, users: 480, expected: 19 }));
    const scoring = { ...detail.scoring, segments: { segments, moved: null } };
    const page = await render({ ...detail, training: null, scoring });
    expect(textOf(section('segments', page))).toContain('like most users 70% 3% 4.5% 480 19.0 3,800');
  });

  it('says by which metric the model was chosen, and shows the metrics of its head with their reading', () => {
    expect(textOf(section('models'))).toContain(
      'The simplest candidate whose out-of-fold log loss is within one standard error of the best is chosen',
    );
    const tiles = textOf(/<dl class="tiles">[\s\S]*?<\/dl>/.exec(page)?.[0] ?? '');
    expect(tiles).toContain('AUC 0.763 0.5 is chance, 1 is certainty');
    expect(tiles).toContain('Lift at 10% 3.50 times the cancellers of a random tenth');
  });

  it('shows every metric of every model with its own digits', () => {
    const [, all = ''] = section('models').split('<details');
    const rows = [...all.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map(([row = '']) => textOf(row).trim());
    const ofBoostedTrees = { brier: '0.0365', brier_skill: '7.3%', log_loss: '0.1454', lift_at_5: '4.09' };
    for (const metric of METRICS) {
      const row = rows.find((text) => text.startsWith(`${metricHeading(metric)} ${metric.meaning}`));
      const shown: Readonly<Partial<Record<MetricName, string>>> = ofBoostedTrees;
      expect(row, metric.name).toContain(` ${shown[metric.name] ?? ''}`);
    }
  });

  it('shows which rows were refused, why, and what to do', () => {
    expect(textOf(section('reading'))).toMatch(
      /unknown_page page is not one of the known pages 15 add a new page/,
    );
  });

  it('shows the reconciliation and the reason for the promotion decision', () => {
    const counts = textOf(section('reconciliation'));
    expect(counts).toContain('In the lake By the steps');
    expect(counts).toContain('ingest_files.rows_read 1,000 1,000');
    expect(counts).toContain('a run whose counts differ fails, and has no report');
    expect(textOf(section('facts'))).toContain(
      'promoted: the first model: it beats every baseline by AUC and average precision',
    );
  });

  it('shows the drifted features, largest drift first, and separately those exempt from the alarm', () => {
    const [telling = '', exempt = ''] = section('drift').split('<details');
    expect(textOf(telling)).toContain('of 4 features and of the score');
    expect(textOf(telling)).toContain('The score has 0.06: steady.');
    expect(textOf(telling)).toMatch(
      /Adverts per free song, last 7 days 0\.27 alarm Thumbs down per song, last 28 days 0\.12 watch/,
    );
    expect(telling).not.toContain('Active days');
    expect(telling).not.toContain('Days observed');
    expect(textOf(exempt)).toContain('1 feature drifted and exempt from the alarm');
    expect(textOf(exempt)).toContain('Days observed 9.60 alarm exempt');
  });

  it('says how far chance alone moves the drift index when there are few users', async () => {
    expect(section('drift')).not.toContain('chance');
    const scoring = { ...detail.scoring, users: 100 };
    const few = await render({ ...detail, scoring });
    // 16.919 (1 / 1000 + 1 / 100)
    expect(textOf(section('drift', few))).toContain('chance alone takes one feature in 20 to 0.19 or more');
  });

  it('has twenty charts, each with a description in words', () => {
    expect(page.match(/<svg role="img" aria-label="[^"]{20,}"/g)).toHaveLength(20);
  });
});

describe('the card of the model', () => {
  const files = Array.from({ length: 7 }, (_, index) => ({
    uri: `s3://raw/${index}.json`,
    etag: 'e',
    bytes: 1,
  }));
  const card = () => {
    const description = {
      ...{ kind: 'boosted_trees', runId: 'run-1', horizonDays: 14, testCutoff: '2018-11-19' },
      inputs: [
        { name: 'tenure_days', definition: 'abc123' },
        { name: '<b>new', definition: 'def456' },
      ],
      libraries: { xgboost: '3.2.0' },
    };
    const plan = { ...detail.plan, batch: { ...detail.plan.batch, files } };
    return modelCard(
      { ...detail, plan },
      storedModelSchema.parse(description),
      (text) => `hash of ${text.length}`,
    );
  };

  it('says what the model is for, what it must not be used for, and what it was made of', async () => {
    const text = textOf(section('model-card', await reportPage(detail, { ...CONTEXT, card: card() })));
    expect(text).toContain('Ranks living users');
    expect(text).toContain('It is not to be used for decisions about a single person');
    expect(text).toContain('Kind Gradient-boosted trees Trained by run run-1');
    expect(text).toContain('1 October 2018 to 3 December 2018: 2 training cutoffs, 1 test cutoff');
    expect(text).toContain('events 8744736658442914487, user_days 3051729675574597004');
    expect(text).toMatch(/, 7 files s3:\/\/raw\/0\.json .* s3:\/\/raw\/4\.json and 2 more/);
    expect(text).toContain('Libraries xgboost 3.2.0');
    expect(text).toMatch(/seed 20181001 /);
    expect(text).toContain('excludedFeatures none');
    expect(text).toMatch(/2 inputs .* tenure_days .*egistration.* abc123/);
    expect(text).toContain('<b>new <b>new not known to this version def456');
  });

  it('is left out where no model was stored', () => {
    expect(section('model-card')).toBe('');
  });
});

describe('where time and money went', () => {
  const states = [
    { name: 'CreateCluster', seconds: 300, usd: 0.05 },
    { name: 'IngestEvents', seconds: 900, usd: 0.4 },
  ];
  const shown = async (more: Partial<RunDetail>, cost: number | null) =>
    textOf(
      section(
        'state-times',
        await render({ ...detail, ...more, record: { ...detail.record, cost_usd: cost } }),
      ),
    );

  it('is said state by state, with what falls between them', async () => {
    const text = await shown({ states }, 0.5);
    expect(text).toContain('took 20 min, most of it (75%) IngestEvents.');
    expect(text).toContain('USD 0.05 falls between the states');
    expect(text).toMatch(/CreateCluster 5 min 25% USD 0\.05 Starts a cluster /);
    expect(text).toMatch(/IngestEvents 15 min 75% USD 0\.40 Turns raw JSON /);
  });

  it('has no costs where a run costs nothing, and unknown ones where a price is missing', async () => {
    const free = await shown({ states: states.map((state) => ({ ...state, usd: 0 })) }, 0);
    expect(free).toContain('On this machine a run costs nothing.');
    expect(free).not.toContain('USD');
    const unknown = await shown({ states: states.map((state) => ({ ...state, usd: null })) }, null);
    expect(unknown).toContain('the price table lacks an instance type');
    expect(unknown).toMatch(/15 min 75% unknown/);
  });

  it('is left out of reports of runs that did not record it', async () => {
    const { states: _, ...older } = detail;
    expect(section('state-times', await render(older))).toBe('');
  });
});

describe('a run that has not trained', () => {
  const why = 'nothing is known that the training of run run-0 did not have';
  const scorer = {
    runId: 'run-0',
    modelUri: at('models/run-0'),
    testCutoff: '2018-11-14',
    model: 'boosted_trees',
    testScores: null,
  } as const;
  const untrained = (changed: Partial<Choice> = {}): RunDetail => {
    const { choice } = detail;
    if (choice === undefined) throw new Error('the fixture has a choice');
    const reason = `the model of run run-0 is in charge (5 days of the log have passed since its test), and nothing was trained: ${why}`;
    return {
      ...detail,
      training: null,
      trainingDecision: { decision: 'skip', reason: why },
      choice: {
        ...choice,
        ...{ rule: 'in_charge', scorer, challengerScores: false, gates: [], reasons: [reason], ...changed },
      },
      record: { ...detail.record, promoted: false, promotion_reason: reason },
      scoring: {
        ...detail.scoring,
        drift: { ...detail.scoring.drift, comparedWith: { testCutoff: '2018-11-14', users: 990 } },
      },
    };
  };

  it('says why, how old the model is, and where its figures are; and shows no figures of models', async () => {
    const rendered = await render(untrained());
    const text = textOf(section('untrained', rendered));
    expect(text).toContain(`The reason: ${why}.`);
    expect(text).toContain('5 days of the log have passed since its test');
    expect(section('untrained', rendered)).toContain('href="run-0.html"');
    expect(textOf(rendered)).toContain('Nothing was trained: the model of run run-0 is in charge');
    expect(textOf(section('facts', rendered))).toContain(`Training nothing was trained: ${why}`);
    for (const id of ['models', 'past', 'curves', 'quality', 'decisions', 'segments', 'drivers'])
      expect(rendered).not.toContain(`id="${id}"`);
    expect(textOf(section('drift', rendered))).toContain(
      'compared with the test users, as known on 14 November 2018',
    );
    expect(rendered).toContain('class="users"');
  });

  it('has no list and no drift where nobody is in charge', async () => {
    const nobody = untrained({ rule: 'nobody', scorer: null, list: 'no' });
    const drift = { features: [], score: 0, comparedWith: null };
    const rendered = await render({ ...nobody, scoring: { ...nobody.scoring, top: [], drift } });
    expect(textOf(section('untrained', rendered))).toContain('No model is in charge');
    expect(rendered).not.toContain('id="drift"');
    expect(textOf(section('contacts', rendered))).toContain('Nobody should be contacted');
  });
});

describe('the warnings of the report', () => {
  const notesOf = async (changed: RunDetail): Promise<string> =>
    textOf(/<ul class="notes">[\s\S]*?<\/ul>/.exec(await render(changed))?.[0] ?? '');
  const withMetric = (name: MetricName, value: number, interval: number | null = 0.1): TrainedDetail => ({
    ...detail,
    training: {
      ...detail.training,
      evaluations: detail.training.evaluations.map((evaluation) => ({
        ...evaluation,
        metrics: { ...evaluation.metrics, [name]: { value, low: interval, high: interval } },
      })),
    },
  });

  it('cover a model that is not reliable, and one that was not promoted', async () => {
    const training = {
      ...detail.training,
      reliable: false,
      reliabilityReason: '12 cancellations are too few',
    };
    const record = { ...detail.record, promoted: false, promotion_reason: 'it is worse' };
    const notes = await notesOf({ ...detail, training, record });
    expect(notes).toContain('Do not act on these metrics alone: 12 cancellations are too few.');
    expect(notes).toContain('The model was not promoted: it is worse.');
  });

  it('cover probabilities that are off', async () => {
    expect(await notesOf(detail)).not.toContain('calibrated');
    // A figure alone contradicts nothing: chance moves it.
    expect(await notesOf(withMetric('calibration_error', 0.1))).not.toContain('calibrated');
    const evaluations = detail.training.evaluations.map((evaluation) => ({
      ...evaluation,
      curve: (evaluation.curve ?? []).map((bin) => ({ ...bin, predicted: bin.predicted * 2 })),
    }));
    const off = { ...detail, training: { ...detail.training, evaluations } };
    expect(await notesOf(off)).toMatch(
      /not well calibrated \(predicted over observed cancellations 2\.\d\d, from 1\.\d\d to \d\.\d\d; slope .*ideally 1\)/,
    );
    const trust = (of: RunDetail): string | undefined =>
      breathOf(of, [], []).find(({ about }) => about === 'trust')?.text;
    expect(trust(detail)).toMatch(/is trusted and in charge/);
    expect(trust(off)).toMatch(
      /its order of users is trusted.* Read its probabilities with care.*: for each user who cancelled, it had predicted 2\.\d\d\.$/,
    );
  });

  it('cover metrics without intervals, with their uncertainty', async () => {
    expect(await notesOf(withMetric('auc', 0.763, null))).toMatch(/40 cancellations .* about ± 0\.09/);
  });

  it('cover drift that alarms, but not features that change with the age of the log', async () => {
    expect(await notesOf(detail)).toMatch(
      /differ from those on whom the model was tested \(stability index: Adverts per free song, last 7 days 0\.27\)/,
    );
    const withDrift = (score: number): RunDetail => ({
      ...detail,
      scoring: { ...detail.scoring, drift: { features: [{ feature: 'observed_days', psi: 9 }], score } },
    });
    expect(await notesOf(withDrift(0.249))).not.toContain('stability index');
    expect(await notesOf(withDrift(0.25))).toContain('stability index: the score 0.25');
  });

  it('name the features that drifted furthest, and how many others', async () => {
    const features = FEATURES.filter(({ name }) => !isExemptFromDriftAlarm(name))
      .slice(0, 20)
      .map(({ name }, index) => ({ feature: name, psi: 0.3 + index / 100 }));
    const of = { ...detail, scoring: { ...detail.scoring, drift: { features, score: 0.6 } } };
    const [label = ''] = FEATURES.filter(({ name }) => name === features[19]?.feature).map(
      (one) => one.label,
    );
    expect(await notesOf(of)).toContain(`stability index: the score 0.60, ${label} 0.49, `);
    expect(await notesOf(of)).toContain(' and 15 others)');
    const drift = section('drift', await render(of));
    expect(drift).toContain('<summary>8 more features</summary>');
    expect(drift.match(/<td>alarm<\/td>/g)).toHaveLength(20);
  });

  it('cover drift that may be chance, and say so', async () => {
    const withScore = (users: number, score: number): RunDetail => ({
      ...detail,
      scoring: { ...detail.scoring, users, drift: { features: [], score } },
    });
    // 16.919 (1 / 1000 + 1 / 50)
    expect(await notesOf(withScore(50, 0.35))).toMatch(
      /may differ .*the score 0\.35.*chance alone takes one feature in 20 to 0\.36/,
    );
    expect(await notesOf(withScore(50, 0.36))).toContain(
      'users differ from those on whom the model was tested',
    );
    expect(await notesOf(withScore(960, 0.35))).toContain(
      'users differ from those on whom the model was tested',
    );
  });

  it('cover refused rows, only if there are any', async () => {
    expect(await notesOf(detail)).toContain('2% of the rows were refused as defective');
    const counts = { read: 1_000, accepted: 1_000, quarantined: 0, duplicates: 0 };
    expect(await notesOf({ ...detail, ingest: { ...detail.ingest, counts } })).not.toContain('refused');
  });

  it('cover rows with defects, but not those of forgotten users', async () => {
    const ofForgottenUsers = (rows: number): RunDetail => ({
      ...detail,
      ingest: { ...detail.ingest, refused: { unknown_page: 20 - rows, forgotten_user: rows } },
    });
    expect(await notesOf(ofForgottenUsers(10))).toContain('1% of the rows were refused as defective');
    expect(await notesOf(ofForgottenUsers(20))).not.toContain('refused');
    const tiles = /<dl class="tiles">[\s\S]*?<\/dl>/.exec(await render(ofForgottenUsers(10)))?.[0] ?? '';
    expect(textOf(tiles)).toContain('Rows read 1,000 1% defective');
  });
});

/** As no version writes them, but a damaged object may. */
function hostileDrivers(text: string): Drivers {
  const fall = { fall: 0.1, least: 0.05, most: 0.15 };
  const bands = [{ lowest: 0, highest: 1, users: 10, cancelled: 1, predicted: 1 }];
  const features = [{ feature: text, ...fall, correlation: 1, bands }];
  return { users: 10, auc: 0.7, groups: [{ group: text, ...fall }], features };
}

describe('a report with hostile data', () => {
  const hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\u0000';

  it('shows the data as text, wherever it comes from', async () => {
    const [user] = detail.scoring.top;
    if (user === undefined) throw new Error('the fixture has no users');
    const [example] = detail.ingest.examples;
    if (example === undefined) throw new Error('the fixture has no examples');
    const rendered = await render({
      ...detail,
      record: { ...detail.record, promotion_reason: hostile },
      plan: { ...detail.plan, batch: { ...detail.plan.batch, batchId: hostile } },
      ingest: { ...detail.ingest, examples: [{ ...example, file: hostile, line: hostile }] },
      training: {
        ...detail.training,
        reliabilityReason: hostile,
        importance: [{ feature: hostile, share: 1 }],
        drivers: hostileDrivers(hostile),
        slices: [...slicesOf('challenger', 0.7)].map((slice) => ({ ...slice, value: hostile })),
        modelUri: hostile,
      },
      scoring: {
        ...detail.scoring,
        top: [{ ...user, userId: hostile, level: hostile, reasons: [hostile] }],
        drift: { features: [{ feature: hostile, psi: 1 }], score: 0 },
      },
      reconciliation: [{ table: hostile, counted: 1, expected: 1 }],
    });
    const [, json = ''] = /<script type="application\/json"[^>]*>([\s\S]*?)<\/script>/.exec(rendered) ?? [];
    expect(json).not.toContain('<');
    expect(JSON.stringify(JSON.parse(json))).toContain('<img src=x onerror=alert(1)>');
    expect(rendered.match(/<script/g)).toHaveLength(2);
    expect(rendered).not.toMatch(/<(img|iframe|object|link)/i);
    for (const hidden of ['\u0000', '\u202e']) expect(rendered.includes(hidden)).toBe(false);
    expect(textOf(rendered)).toContain('"><script>alert(1)</script><img src=x onerror=alert(1)>');
  });

  it('loads nothing from the network and runs one script, by its hash', () => {
    const hash = createHash('sha256').update('void 0').digest('base64');
    const policy = [
      "default-src 'none'",
      "style-src 'unsafe-inline'",
      `script-src 'sha256-${hash}'`,
      "base-uri 'none'",
      "form-action 'none'",
    ].join('; ');
    expect(page).toContain(`<meta http-equiv="Content-Security-Policy" content="${policy}">`);
    expect(page).toContain('<script>void 0</script>');
    const withoutNamespaces = page.replaceAll(/ xmlns(:xlink)?="[^"]*"/g, '');
    expect(withoutNamespaces).not.toMatch(/https?:|@import|url\(| on\w+="| src="/);
  });

  it('closes every element that it opens', () => {
    const open: string[] = [];
    const isVoid = /^(meta|!doctype|br|img|link|input)$/i;
    for (const [, slash, name = '', selfClosed] of page
      .replaceAll(/(<script\b[^>]*>)[\s\S]*?(?=<\/script>)/g, '$1')
      .matchAll(/<(\/?)([a-z!][a-z0-9]*)(?:"[^"]*"|[^>"])*?(\/?)>/gi)) {
      if (slash === '/') expect(open.pop()).toBe(name);
      else if (selfClosed !== '/' && !isVoid.test(name)) open.push(name);
    }
    expect(open).toEqual([]);
  });
});

describe('the html template tag', () => {
  it('escapes values, keeps markup, and leaves undefined out', () => {
    const nested = html`<b>${'<i>'}</b>`;
    expect(html`<p title="${`"'`}">${nested}${undefined}${[nested, nested]}</p>`.markup).toBe(
      '<p title="&quot;&#39;"><b>&lt;i&gt;</b><b>&lt;i&gt;</b>\n<b>&lt;i&gt;</b></p>',
    );
  });

  it('makes control characters and bidirectional marks visible', () => {
    expect(escaped('a\u0007b\u202ec\u2066d\ne')).toBe('a\u{fffd}b\u{fffd}c\u{fffd}d\ne');
  });
});

describe('numbers and days in the report', () => {
  it.each([
    ['2018-12-03', '2018-12-16', '3 and 16 December 2018'],
    ['2018-11-26', '2018-12-09', '26 November and 9 December 2018'],
    ['2018-12-24', '2019-01-06', '24 December 2018 and 6 January 2019'],
    ['2018-12-03', '2018-12-03', '3 and 3 December 2018'],
  ])('%s to %s', (first, last, words) => {
    expect(between(first, last)).toBe(words);
  });

  it('formats bytes and durations with a suitable unit', () => {
    expect([0, 999, 12_345, 1.31e9, 2e15].map(bytes)).toEqual([
      '0 bytes',
      '999 bytes',
      '12.3 kB',
      '1.31 GB',
      '2,000 TB',
    ]);
    expect([900, 32_000, 59_600, 61_000, 599_000, 650_000, 5_400_000].map(duration)).toEqual([
      ...['1 s', '32 s', '1 min', '1 min 1 s', '9 min 59 s'],
      ...['11 min', '1 h 30 min'],
    ]);
  });
});

it('renders the same page when it is bundled like the Lambda', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'churn-bundle-'));
  try {
    const outfile = join(folder, 'page.mjs');
    await build({
      entryPoints: [join(import.meta.dirname, '../../../lambda/render-report/page.ts')],
      outfile,
      bundle: true,
      minify: true,
      keepNames: true,
      platform: 'node',
      target: 'node22',
      format: 'esm',
      logLevel: 'silent',
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
    });
    const bundled: { reportPage: typeof reportPage } = await import(pathToFileURL(outfile).href);
    expect((await bundled.reportPage(detail, CONTEXT)) === page).toBe(true);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('a deployment without its environment variables names each missing one', () => {
  expect(() => readDeployment({})).toThrow(/LAKE_ROOT[\s\S]*DATABASE[\s\S]*EVENTS_ROOT[\s\S]*RELEASE/);
  expect(() =>
    readDeployment({
      LAKE_ROOT: 's3://a',
      DATABASE: 'churn',
      EVENTS_ROOT: 's3://b',
      RELEASE: '0',
      TRAINING_RELEASE: '0',
      RUN_SETTINGS: '{"folds": 1}',
    }),
  ).toThrow(/RUN_SETTINGS[\s\S]*folds/);
});
