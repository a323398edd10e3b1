// Synthesized tasks as training, selection and test tasks, by user. Held-out users are drawn as 0.1.0 drew them, then divided.
import type { SynthesisCounts, SynthesisOptions, SynthesizedTask, TaskFile } from "#contracts/task-file.ts";
import type { TaskFile1 } from "#contracts/upcast/task-file-1.ts";
import { drawUsers } from "#core/environment/split-by-user.ts";

type SplitOptions = Pick<SynthesisOptions, "trainShare" | "selectionShare" | "seed">;
type Unsplit = Omit<SynthesizedTask, "split">;

/** What files of 0.1.0, which have none, are read with. */
const SELECTION_SHARE_OF_0_1 = 0.4;

/** With two or more users there are training and test tasks. Selection has at least one of two or more held-out users, unless its share is 0. */
export function withSplits(tasks: readonly Unsplit[], options: SplitOptions): SynthesizedTask[] {
  const users = drawUsers(tasks.map(userOf), 1 - options.trainShare, { draw: "evaluation-users", seed: options.seed });
  return divide(tasks, users, options);
}

function divide(tasks: readonly Unsplit[], heldOut: ReadonlySet<string>, { selectionShare, seed }: SplitOptions): SynthesizedTask[] {
  const users = tasks.map(userOf).filter(({ userId }) => heldOut.has(userId));
  const choosing = selectionShare === 0 ? new Set() : drawUsers(users, selectionShare, { draw: "selection-users", seed });
  const splitOf = (userId: string) => (!heldOut.has(userId) ? "train" : choosing.has(userId) ? "selection" : "test");
  return tasks.map((one) => ({ ...one, split: splitOf(one.task.userId) }));
}

const userOf = ({ task }: Unsplit) => ({ userId: task.userId });

export function countSplits(tasks: readonly Pick<SynthesizedTask, "split">[]): Pick<SynthesisCounts, "train" | "selection" | "test"> {
  const count = (wanted: SynthesizedTask["split"]) => tasks.filter(({ split }) => split === wanted).length;
  return { train: count("train"), selection: count("selection"), test: count("test") };
}

/** A file of 0.1.0: what it held out is divided as the synthesis of today divides it. */
export function upcastTaskFile(file: TaskFile1): TaskFile {
  const { evaluation: _, ...counts } = file.counts;
  const options = { ...file.options, selectionShare: SELECTION_SHARE_OF_0_1 };
  const heldOut = new Set(file.tasks.filter(({ split }) => split === "evaluation").map(({ task }) => task.userId));
  const tasks = divide(file.tasks, heldOut, options);
  return { ...file, schemaVersion: 2, options, counts: { ...counts, ...countSplits(tasks) }, tasks };
}
