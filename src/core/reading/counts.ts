// How often things occur, by name, in the order of the names, so that no arrival order is seen.
export type Counts = Readonly<Record<string, number>>;

/** Names that occur 0 times are left out. */
export function addCounts(...all: readonly Counts[]): Record<string, number> {
  const total = new Map<string, number>();
  for (const counts of all) for (const [name, count] of Object.entries(counts)) total.set(name, (total.get(name) ?? 0) + count);
  return Object.fromEntries([...total].filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function countNames(names: Iterable<string>): Record<string, number> {
  const total = new Map<string, number>();
  for (const name of names) total.set(name, (total.get(name) ?? 0) + 1);
  return addCounts(Object.fromEntries(total));
}

export const sumCounts = (counts: Counts): number => Object.values(counts).reduce((total, count) => total + count, 0);
