/** What a run has found out about its log, and how that is shown: files that were not read, holes, and its age. */
import { ageInDays, findHoles, type Hole, touchedCutoffs } from './holes.ts';
import { FILES_NAMED, listingWarnings, namesOf, passedOverText } from './listing.ts';
import type { RunDetail } from './records.ts';
import { sourceWarnings } from './sources.ts';

type OfLog = Pick<RunDetail, 'plan' | 'ingest' | 'features'>;

/** Days without events, and thin days; none for runs of older versions. */
export function holesOf({ features }: Pick<RunDetail, 'features'>): readonly Hole[] {
  return features.days === undefined ? [] : findHoles(features.days, features);
}

/** Files that were not read, by their names or by their first lines. */
export function filesPassedOver({ plan, ingest }: Pick<OfLog, 'plan' | 'ingest'>): number {
  return [...(plan.listing?.passedOver ?? []), ...(ingest.passedOver ?? [])].reduce(
    (sum, { count }) => sum + count,
    0,
  );
}

/** The newest day with events, and how old it was when the run was planned; undefined for runs of older versions. */
export function newestDayOf({
  plan,
  features,
}: Pick<OfLog, 'plan' | 'features'>): { readonly day: string; readonly ageDays: number } | undefined {
  const day = features.days?.at(-1)?.day;
  return day === undefined ? undefined : { day, ageDays: ageInDays(day, plan.plannedAt) };
}

/** "2018-11-25, 12 days before the run": how old the log is. */
export function newestDayText(detail: Pick<OfLog, 'plan' | 'features'>): string | undefined {
  const newest = newestDayOf(detail);
  if (newest === undefined) return undefined;
  const { day, ageDays } = newest;
  return `${day}, ${ageDays === 1 ? '1 day' : `${WHOLE.format(ageDays)} days`} before the run`;
}

/** What to know about what was read, a sentence each, without a full stop. */
export function logWarnings(detail: OfLog): readonly string[] {
  const { plan, ingest } = detail;
  const { withoutEvents } = ingest;
  return [
    ...listingWarnings(plan.listing),
    ...(ingest.passedOver ?? []).map(passedOverText),
    ...(withoutEvents === undefined || withoutEvents.count === 0
      ? []
      : [
          `${withoutEvents.count === 1 ? '1 file was' : `${WHOLE.format(withoutEvents.count)} files were`} read and ` +
            `gave no event: ${namesOf(withoutEvents)}; see the refused rows of the run`,
        ]),
    ...holeTexts(detail),
    ...sourceWarnings(detail.features.sources),
  ];
}

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

function holeTexts(detail: OfLog): readonly string[] {
  const holes = holesOf(detail);
  if (holes.length === 0) return [];
  const { plan, features } = detail;
  const empty = holes.filter(({ events }) => events === 0);
  const thin = holes.filter(({ events }) => events > 0);
  const touched = touchedCutoffs(holes, features.cutoffs, plan.training.horizonDays);
  return [
    ...(empty.length === 0
      ? []
      : [
          `${daysText(empty.length)} without events inside the log's period: ${named(empty, ({ day }) => day)}`,
        ]),
    ...(thin.length === 0
      ? []
      : [
          `${daysText(thin.length)} with less than a fifth of the events that are usual around: ` +
            named(
              thin,
              ({ day, events, usual }) => `${day} (${WHOLE.format(events)}, usual ${WHOLE.format(usual)})`,
            ),
        ]),
    ...(touched.length === 0
      ? []
      : [
          `These days touch the features or labels of the cutoffs ${touched.join(', ')}: deliver what is missing, and ` +
            'run again',
        ]),
  ];
}

function daysText(days: number): string {
  return days === 1 ? '1 day is' : `${WHOLE.format(days)} days are`;
}

function named(holes: readonly Hole[], text: (hole: Hole) => string): string {
  return `${holes.slice(0, FILES_NAMED).map(text).join(', ')}${holes.length > FILES_NAMED ? ', ...' : ''}`;
}
