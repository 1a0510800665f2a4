/** How uncertain a count is. Pure functions. */

/** Half of what a 95 % interval leaves out. */
const TAIL = 0.025;
const HALVINGS = 200;

/**
 * Exact interval of the mean of a Poisson variable of which `count` was seen (Garwood 1936): 95 %, or what both tails leave.
 */
export function poissonInterval(
  count: number,
  tail: number = TAIL,
): { readonly low: number; readonly high: number } {
  const most = count + 10 * Math.sqrt(count + 1) + 20;
  return {
    low: count === 0 ? 0 : root((mean) => upperTail(mean, count) > tail, most),
    high: root((mean) => lowerTail(mean, count) < tail, most),
  };
}

/** Where a condition that is false below and true above changes, between 0 and `most`. */
function root(holds: (mean: number) => boolean, most: number): number {
  let [low, high] = [0, most];
  for (let halving = 0; halving < HALVINGS && high - low > 1e-12 * high; halving += 1) {
    const middle = (low + high) / 2;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}

/** P(X <= count) for a mean. Terms are summed away from the mode: from the other side they would vanish. */
function lowerTail(mean: number, count: number): number {
  if (count < 0) return 0;
  if (count >= mean) return 1 - upwards(mean, count + 1);
  return downwards(mean, count);
}

/** P(X >= count) for a mean. */
function upperTail(mean: number, count: number): number {
  return count > mean ? upwards(mean, count) : 1 - lowerTail(mean, count - 1);
}

/** Sum of the probabilities of `from` and below, where they fall. */
function downwards(mean: number, from: number): number {
  let term = pointProbability(mean, from);
  let sum = term;
  for (let seen = from; seen > 0 && term > sum * Number.EPSILON; seen -= 1) {
    term *= seen / mean;
    sum += term;
  }
  return sum;
}

/** Sum of the probabilities of `from` and above, where they fall. */
function upwards(mean: number, from: number): number {
  let term = pointProbability(mean, from);
  let sum = term;
  for (let seen = from + 1; term > sum * Number.EPSILON; seen += 1) {
    term *= mean / seen;
    sum += term;
  }
  return sum;
}

function pointProbability(mean: number, count: number): number {
  return mean === 0 ? Number(count === 0) : Math.exp(count * Math.log(mean) - mean - logFactorial(count));
}

/** Exact for small numbers, Stirling's series above, whose error is below 1e-13 there. */
function logFactorial(count: number): number {
  if (count < 100) {
    let sum = 0;
    for (let factor = 2; factor <= count; factor += 1) sum += Math.log(factor);
    return sum;
  }
  const inverse = 1 / count;
  return (
    (count + 0.5) * Math.log(count) -
    count +
    0.5 * Math.log(2 * Math.PI) +
    inverse / 12 -
    inverse ** 3 / 360 +
    inverse ** 5 / 1260
  );
}
