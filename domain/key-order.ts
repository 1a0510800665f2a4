/**
 * The order in which S3 lists keys: by the bytes of their UTF-8. That is the order of code points, and not JavaScript's
 * own, which compares UTF-16: there, characters beyond U+FFFF come before those from U+E000 to U+FFFF.
 */

const FIRST_SURROGATE = 0xd800;
const AFTER_SURROGATES = 0xe000;
/** Brings surrogates above every other unit, and the units after them down into the gap. */
const GAP = { surrogates: 0x2000, others: -0x800 } as const;

/** Negative if the first key comes first, positive if the second does, 0 if they are equal. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const common = Math.min(a.length, b.length);
  for (let at = 0; at < common; at += 1) {
    const [unitOfA, unitOfB] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (unitOfA !== unitOfB) return rank(unitOfA) - rank(unitOfB);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  if (unit < FIRST_SURROGATE) return unit;
  return unit + (unit < AFTER_SURROGATES ? GAP.surrogates : GAP.others);
}
