// Sums whose digits do not depend on the order of their terms.

/** Up to this many numbers are sorted by insertion: a group is small, and there are millions of groups. */
const FEW = 32;

/** The numbers in ascending order, the given ones untouched. */
export function sorted(values: Iterable<number>): number[] {
  const result = [...values];
  return result.length <= FEW ? insertionSort(result) : result.sort((a, b) => a - b);
}

function insertionSort(values: number[]): number[] {
  for (let end = 1; end < values.length; end += 1) {
    const value = values[end] as number;
    let place = end;
    for (; place > 0 && (values[place - 1] as number) > value; place -= 1) values[place] = values[place - 1] as number;
    values[place] = value;
  }
  return values;
}

export function sortedSum(values: Iterable<number>): number {
  return sumOf(sorted(values));
}

/** The sum in the given order. */
export function sumOf(values: readonly number[]): number {
  let total = 0;
  for (let i = 0; i < values.length; i += 1) total += values[i] as number;
  return total;
}

/** Mean, 0 of nothing. */
export function sortedMean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sortedSum(values) / values.length;
}

/** The middle value, or the mean of the two middle ones; 0 of nothing. */
export function median(values: readonly number[]): number {
  const ordered = sorted(values);
  const middle = Math.floor(ordered.length / 2);
  if (ordered.length === 0) return 0;
  return ordered.length % 2 === 1 ? (ordered[middle] ?? 0) : ((ordered[middle - 1] ?? 0) + (ordered[middle] ?? 0)) / 2;
}
