// Groups of every shape that an estimator may be given.
import fc from "fast-check";
import type { AdvantageGroup } from "#core/advantage/compute-advantages.ts";

const reward = fc.constantFrom(-0.2, -0.1, 0, 0.1, 0.3, 0.5, 0.75, 1);
const member = fc.record({
  turnRewards_T: fc.array(reward, { minLength: 1, maxLength: 6 }),
  outcome: fc.oneof(
    fc.constantFrom(0, 1),
    fc.nat(8).map((eighths) => eighths / 8),
  ),
  isTruncated: fc.boolean(),
});
/** Actions and observations follow from the rewards, so that equal rewards act alike. */
export const anyMembers = fc.array(member, { minLength: 1, maxLength: 6 }).map((list) =>
  list.map((one) => ({
    ...one,
    actions_T: one.turnRewards_T.map((value) => (value > 0 ? "put" : "get")),
    observations_T: one.turnRewards_T.map((value, k) => `state ${k % 2 === 0 ? "even" : "odd"} value ${value}`),
  })),
);
export const anyGroups = fc
  .array(anyMembers, { minLength: 1, maxLength: 4 })
  .map((list): AdvantageGroup[] =>
    list.map((each, task) => ({ taskId: `task-${task}`, members: each.map((one, trial) => ({ ...one, trial })) })),
  );
