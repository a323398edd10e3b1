// Sums whose digits do not depend on the order of their terms.

export function sortedSum(values: Iterable<number>): number {
  return Float64Array.from(values)
    .sort()
    .reduce((total, value) => total + value, 0);
}

/** Mean, 0 of nothing. */
export function sortedMean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sortedSum(values) / values.length;
}

/** The middle value, or the mean of the two middle ones; 0 of nothing. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
