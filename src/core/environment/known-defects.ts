// Tasks of the public benchmarks that are known to be wrong, by task set and task. Grading follows the benchmark all the same.

const contradiction = (what: string, issue: number) => `${what} (tau-bench #${issue})`;

export const KNOWN_DEFECTS: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  [
    "tau-bench-airline",
    new Map([
      ["airline-01", contradiction("the reservation flies from EWR to EWR", 29)],
      ["airline-02", contradiction("bags after the downgrade contradict the policy", 41)],
      ["airline-09", contradiction("the golden passenger names are wrong", 65)],
      ["airline-19", contradiction("the golden actions change the destination, which the policy forbids", 35)],
      ["airline-22", contradiction("the golden actions contradict the policy", 70)],
      ["airline-23", contradiction("the golden bags of reservation HXDUBJ contradict the policy", 32)],
      ["airline-24", contradiction("the golden bags of reservation HXDUBJ contradict the policy", 32)],
    ]),
  ],
]);
