import { z } from "zod";

/** A tool call as text: the arguments stay the JSON text the model wrote, since JSON numbers 1 and 1.0 differ for the benchmark's hash. */
export const GoldenAction = z
  .strictObject({
    name: z.string().min(1),
    argumentsJson: z.string(),
    compareArguments: z
      .array(z.string())
      .optional()
      .describe(
        "the arguments that a call must have as they are here to be this one, tau2's compare_args: none of them is the name alone. Absent: all",
      ),
  })
  .meta({ id: "GoldenAction" });
export type GoldenAction = z.infer<typeof GoldenAction>;

/** A scenario with golden actions: what the user wants, and the calls that reach the target database. Its form in task files. */
export const GoldenTask = z
  .strictObject({
    schemaVersion: z.literal(1),
    id: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]*$/)
      .describe("unique in its task set and safe as a file name"),
    environment: z.string().min(1).describe("id of the environment, e.g. airline"),
    userId: z.string(),
    instruction: z.string().describe("what an LLM user simulator is told"),
    goldenActions: z.array(GoldenAction),
    outputs: z.array(z.string()).describe("strings that must occur in the agent's replies"),
    agenda: z
      .json()
      .nullable()
      .describe("what the scripted simulator follows; null when it derives one from golden actions and instruction"),
    kind: z.string().describe("family of the task, e.g. cancel"),
    difficulty: z.strictObject({ numWrites: z.int().nonnegative(), numReads: z.int().nonnegative() }),
  })
  .meta({ id: "Task" });
export type GoldenTask = z.infer<typeof GoldenTask>;

/** A task of any environment. Null is what the environment has none of, or nobody knows: it is not the same as an empty list. */
export const Task = GoldenTask.extend({
  userId: GoldenTask.shape.userId
    .nullable()
    .describe("tasks of one user stand or fall together; null where there is no user, or nobody knows whose it is"),
  goldenActions: GoldenTask.shape.goldenActions.nullable(),
  outputs: GoldenTask.shape.outputs.nullable(),
  difficulty: GoldenTask.shape.difficulty.nullable(),
});
export type Task = z.infer<typeof Task>;

/**
 * A task as a file of rollouts tells it. What the file does not say is null, which is not the same as none: a task without golden actions
 * is passed by doing nothing, a task whose golden actions nobody told may be anything. Every Task is one.
 */
export interface ToldTask extends Task {
  /** What the reward takes beside database and outputs, e.g. "NL_ASSERTION"; absent or null when nothing. */
  readonly alsoGradedBy?: string | null;
}
