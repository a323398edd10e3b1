// Which tasks a campaign uses for what.
import type { Task } from "#contracts/task.ts";

/**
 * Tasks by use, disjoint by user: no user is in two of them. Any of them may be empty.
 *
 * sft        for demonstrations before a campaign
 * selection  decide which policy is promoted and when a campaign stops
 * test       measure the result; nothing is decided on them
 */
export type Splits<Member extends Task = Task> = Readonly<Record<"sft" | "train" | "selection" | "test", readonly Member[]>>;
