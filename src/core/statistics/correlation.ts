// Pearson correlation from sums, so that a bootstrap can add sums instead of walking rows. NaN says: not defined.

/** Sums of squares below this, per observation, are no variance but rounding. */
const NO_VARIANCE = 1e-12;

/** n observations of (x, y) as sums. */
export interface PairSums {
  readonly n: number;
  readonly x: number;
  readonly y: number;
  readonly xx: number;
  readonly yy: number;
  readonly xy: number;
}

export function correlationOfSums({ n, x, y, xx, yy, xy }: PairSums): number {
  return correlationOfDeviations({ n, xx: xx - (x * x) / n, yy: yy - (y * y) / n, xy: xy - (x * y) / n });
}

/** Correlation from sums of squared deviations, e.g. from task means. NaN when either has no variance. */
export function correlationOfDeviations({
  n,
  xx,
  yy,
  xy,
}: {
  readonly n: number;
  readonly xx: number;
  readonly yy: number;
  readonly xy: number;
}): number {
  if (!(n > 1) || xx <= NO_VARIANCE * n || yy <= NO_VARIANCE * n) return Number.NaN;
  return Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
}
