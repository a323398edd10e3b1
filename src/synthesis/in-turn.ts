import type { Random } from "#core/random-source.ts";

/** All items in random order, one of each kind in turn, so that a kind with many items does not crowd out the others. */
export function* inTurn<Item>(items: readonly Item[], kindOf: (item: Item) => string, random: Random): Generator<Item> {
  const byKind = Array.from(Map.groupBy(items, kindOf).values(), (list) => random.shuffle(list));
  for (let round = 0; byKind.some((list) => round < list.length); round++) {
    for (const list of random.shuffle(byKind)) {
      const item = list[round];
      if (item !== undefined) yield item;
    }
  }
}
