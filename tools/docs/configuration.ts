/** The keys that configure a deployment, with the settings of its runs. */
import { type RunSettings, runSettingsSchema } from '../../domain/run.ts';
import { CONTEXT_PREFIX, configurationSchema } from '../../lib/configuration.ts';
import { code, page, table } from './markdown.ts';

/** What a key of the configuration says about itself. */
interface DescribedKey {
  meta(): { readonly description?: string | undefined; readonly absent?: unknown } | undefined;
}

/** What each setting of a run means. */
const SETTINGS: Readonly<Record<keyof RunSettings, string>> = {
  horizonDays: 'days after a cutoff in which cancellations are predicted',
  minHistoryDays: 'days of the log that a cutoff needs before it',
  cutoffStepDays:
    'days from one training or test cutoff to the next; no multiple of seven, so that all weekdays occur',
  cutoffAnchor:
    'a day of the grid of training and test cutoffs; `null`: the lake keeps that of its first run (`cutoff-grid.json`)',
  maxCutoffs: 'number of cutoffs, the newest first',
  minDailyShare: 'share of the median daily rows that a day needs to belong to the log',
  maxQuarantineShare: 'share of refused rows above which a run fails before it trains',
  strict:
    'whether values that can only mean one thing are refused, unless they are written as they should be',
  earliestEventDay: 'first UTC day of which events are accepted',
  maxClockSkewHours: 'hours by which an event may be later than the moment the run was planned',
  minCancellations: 'users who cancel in the training rows, below which the model is marked unreliable',
  folds: 'folds of the users, for scores out of fold',
  seed: 'seed of everything random',
  train:
    'when models are trained: `always`, `when-new` (only if there is something that the last training did not have), or `never`',
  retrospective:
    'when models are also judged by the retrospective protocol, leaky and for comparison only: `first-run` of a lake, `always` or `never`',
  controlGroupShare:
    'share of users who are never contacted, so that the effect of contacting can be measured',
  controlGroupSalt: 'text that decides which users are in the control group',
  campaignDays: 'days for which `campaign.csv`, the list of a run, is kept',
  retentionDays:
    'days after which models, objects, reports and scores of runs are removed; those of the newest 400 runs, of what is current, and scores whose outcome is not known are kept',
  terms:
    'what a contact costs and saves, in your currency: worth of a customer who stays, cost of the offer and of a contact, and the share of users about to cancel who accept the offer; the list follows from them',
  promotion:
    '`automatic`, or `manual`: a challenger waits for `churn promote`, where a usable champion exists',
  promotionMargin:
    'by how much average precision / base rate may be lower before a challenger is refused, beyond chance',
  leakageAuc: "lower end of the AUC's interval above which the model must know the future",
  leakageInputAuc: "lower end of a single input's AUC (99.9 %) above which it must know the future",
  acceptedFeatures: 'features that may rank better by themselves than that: looked into, and no leak',
  excludedFeatures: 'features that no model takes as an input',
  budgetUsd: 'estimated cost in USD above which a run is refused',
  listSince:
    'for a log in folders by day: `{"folder": "YYYY/MM/DD", "days": 60}` lists only the last 60 days at each start; corrections of older files are then not looked for',
};

export function configurationDocument(): string {
  const keys = Object.entries<DescribedKey>(configurationSchema.shape);
  const defaults: Readonly<Record<string, unknown>> = configurationSchema.parse({});
  const settings: Readonly<Record<string, unknown>> = runSettingsSchema.parse({});
  return page('Configuration', '`lib/configuration.ts` and `domain/run.ts`', [
    `Context keys of the app, in \`cdk.json\` or with \`-c ${CONTEXT_PREFIX}<key>=<value>\`. A list is separated by commas. An
unknown key or an impossible value is refused by name before a stack is made.`,
    table(
      ['key', 'meaning', 'default'],
      keys.map(([key, schema]) => keyRow(key, schema, defaults[key])),
    ),
    '## Settings of a run',
    `Fields of \`${CONTEXT_PREFIX}run\`, as JSON: \`-c '${CONTEXT_PREFIX}run={"budgetUsd": 20}'\`. A request overrides some of them for
one run.`,
    table(
      ['field', 'meaning', 'default'],
      Object.entries(SETTINGS).map(([field, meaning]) => [
        code(field),
        meaning,
        code(Array.isArray(settings[field]) ? JSON.stringify(settings[field]) : String(settings[field])),
      ]),
    ),
  ]);
}

/** @throws where the schema does not describe the key */
function keyRow(key: string, schema: DescribedKey, standard: unknown): readonly string[] {
  const { description, absent } = schema.meta() ?? {};
  if (description === undefined || (standard === undefined && typeof absent !== 'string')) {
    throw new Error(
      `${key} needs a description, and what holds where it is left out: see lib/configuration.ts`,
    );
  }
  return [
    code(`${CONTEXT_PREFIX}${key}`),
    description,
    standard === undefined ? String(absent) : defaultText(standard),
  ];
}

function defaultText(value: unknown): string {
  if (Array.isArray(value)) return code(value.join(','));
  return typeof value === 'object' ? 'see below' : code(String(value));
}
