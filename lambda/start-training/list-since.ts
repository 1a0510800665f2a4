/** From where on a log is listed: the setting `listSince`. A pure decision. */
import type { RunRequest } from '../../domain/run.ts';
import { addDays } from '../../domain/time.ts';
import type { Deployment } from '../run/deployment.ts';

/**
 * The address after which the log is listed; undefined when all of it is. A request that names a location looks at all
 * of that: it is how corrections of older files are ingested.
 */
export function listedSince(
  { events }: Pick<RunRequest, 'events'>,
  { eventsRoot, settings }: Pick<Deployment, 'eventsRoot' | 'settings'>,
  now: Date,
): string | undefined {
  const { listSince } = settings;
  if (listSince === null || events !== undefined) return undefined;
  const [year = '', month = '', day = ''] = addDays(now.toISOString().slice(0, 10), -listSince.days).split(
    '-',
  );
  const folder = listSince.folder.replace('YYYY', year).replace('MM', month).replace('DD', day);
  return `${eventsRoot.replace(/\/+$/, '')}/${folder}`;
}
