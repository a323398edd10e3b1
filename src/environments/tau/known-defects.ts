// Tasks of the public benchmarks that are known to be wrong, by task id. Grading follows the benchmark all the same.

const contradiction = (what: string, issue: number) => `${what} (tau-bench #${issue})`;

/** Retail tasks with a golden write that the tools refuse: the golden database lacks it, and so must the agent's. */
const REFUSED_WRITES = {
  test: [12, 13, 64, 106],
  train: [24, 27, 81, 148, 161, 214, 229, 252, 253, 288, 314, 349, 351, 369, 376, 427, 431, 441, 469],
} as const;
const refusedWrites = Object.entries(REFUSED_WRITES).flatMap(([split, indices]) =>
  indices.map((index): [string, string] => [
    `retail-${split}-${String(index).padStart(2, "0")}`,
    "a golden write is refused and changes nothing",
  ]),
);

export const KNOWN_DEFECTS: ReadonlyMap<string, string> = new Map([
  ["airline-01", contradiction("the reservation flies from EWR to EWR", 29)],
  ["airline-02", contradiction("bags after the downgrade contradict the policy", 41)],
  ["airline-09", contradiction("the golden passenger names are wrong", 65)],
  ["airline-19", contradiction("the golden actions change the destination, which the policy forbids", 35)],
  ["airline-22", contradiction("the golden actions contradict the policy", 70)],
  ["airline-23", contradiction("the golden bags of reservation HXDUBJ contradict the policy", 32)],
  ["airline-24", contradiction("the golden bags of reservation HXDUBJ contradict the policy", 32)],
  ...refusedWrites,
]);
