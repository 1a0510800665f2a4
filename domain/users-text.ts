/** How many users there are, in words. Pure functions. */
import type { FeaturesResult } from './results.ts';

type Users = Pick<FeaturesResult, 'returnedUsers' | 'secondCancellations'>;

/** Users who came back, apart from the others: "12 came back, of whom 4 cancelled again"; undefined if nobody did. */
export function returnsText(
  { returnedUsers = 0, secondCancellations = 0 }: Users,
  count: (value: number) => string,
): string | undefined {
  if (returnedUsers === 0) return undefined;
  const again = secondCancellations === 1 ? 'cancellation after that' : 'cancellations after that';
  return `${count(returnedUsers)} came back, with ${count(secondCancellations)} ${again}`;
}
