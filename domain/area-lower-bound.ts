/** How uncertain an AUC is when its interval was not computed. Pure functions. */

/** Two-sided 95 % quantile of the normal distribution. */
const NORMAL_QUANTILE = 1.96;

/** Standard error of an AUC, by its variance after Hanley and McNeil (Radiology 143, 1982). */
export function areaDeviation(area: number, positives: number, negatives: number): number {
  const concordantPositives = area / (2 - area);
  const concordantNegatives = (2 * area ** 2) / (1 + area);
  const variance =
    (area * (1 - area) +
      (positives - 1) * (concordantPositives - area ** 2) +
      (negatives - 1) * (concordantNegatives - area ** 2)) /
    (positives * negatives);
  return Math.sqrt(Math.max(0, variance));
}

/** Lower bound of the 95 % interval of an AUC. */
export function areaLowerBound(area: number, positives: number, negatives: number): number {
  if (positives < 1 || negatives < 1) return 0;
  return area - NORMAL_QUANTILE * areaDeviation(area, positives, negatives);
}
