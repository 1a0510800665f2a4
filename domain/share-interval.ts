/** How sure a share is. */

const Z_95 = 1.96;

/** The 95 % interval of a share of so many users, by Wilson's score: sound for shares near 0 too. */
export function shareInterval(share: number, users: number): { readonly low: number; readonly high: number } {
  if (users === 0) return { low: 0, high: 1 };
  const z2 = Z_95 ** 2 / users;
  const middle = (share + z2 / 2) / (1 + z2);
  const margin = (Z_95 * Math.sqrt((share * (1 - share)) / users + z2 / (4 * users))) / (1 + z2);
  return { low: Math.max(0, middle - margin), high: Math.min(1, middle + margin) };
}
