// What was read from files of rollouts, and what was not: the account that every command on such files prints.
import { z } from "zod";

const Count = z.int().nonnegative();
const Counts = z.record(z.string(), z.int().positive());

export const RolloutReading = z
  .strictObject({
    files: Count.describe("files that rollouts were looked for in"),
    rollouts: Count.describe("rollouts that the report is about"),
    repeats: Count.describe("rollouts that another file holds, too: each counts once"),
    excluded: Counts.describe("entries that are no rollout with an outcome, by why: never taken for failures"),
    firstExcluded: z.record(z.string(), z.string()).optional().describe("where each of these reasons is met first"),
    unread: z.record(z.string(), z.string()).optional().describe("files that are left out as a whole, and why"),
    readers: Counts.describe("rollouts by who read their conversation"),
    notes: Counts.describe("what was taken in a way that is not certain, by what it is"),
    policies: Counts.describe("rollouts by the policy that made them"),
    taskSets: Counts.describe("tasks by the set that they are of"),
  })
  .meta({ id: "RolloutReading" });
export type RolloutReading = z.infer<typeof RolloutReading>;
