// `environment: { type: openenv, … }` of a campaign file.
import { z } from "zod";

const TaskId = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, "lower-case letters, digits, dots, hyphens and underscores");

/** A task that the campaign file tells. */
export const ToldTask = z.strictObject({
  id: TaskId,
  instruction: z.string().default("").describe("comes before what the server says when it is reset"),
  reset: z
    .record(z.string(), z.json())
    .default({})
    .describe("parameters of the server's `reset`. The server drops, without a word, those that its environment does not name"),
});
export type ToldTask = z.infer<typeof ToldTask>;

const TaskSource = z.union([
  z.array(ToldTask),
  z.strictObject({ file: z.string().min(1).describe("JSON lines, a task each, relative to the repository") }),
  z.strictObject({ server: z.string().min(1).describe("a split of the server's task API; its task i is `reset` with split and index i") }),
]);
export type TaskSource = z.infer<typeof TaskSource>;

const Range = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low < high, "the first is below the second")
  .default([0, 1]);

export const OpenEnvConfig = z.strictObject({
  type: z.literal("openenv"),
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !/[?#]/.test(url), "wanted no ? and no #: it is the path before /ws, and what is asked for is added to it")
    .describe("of the server, with the path before /ws; on this machine, or on a host that TURNWISE_ENVIRONMENT_HOSTS names"),
  apiKeyEnv: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/)
    .optional()
    .describe("name of the environment variable with the server's bearer token; the secret itself is never stored"),
  systemPrompt: z.string().min(1),
  tools: z
    .union([z.literal("server"), z.strictObject({ name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), description: z.string() })])
    .default("server")
    .describe("server: the tools that it lists (MCP). Else its one action as a tool of this name, whose arguments are the action's fields"),
  shows: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("fields of an observation that the agent reads, a line each. Absent: all of it; results of tools are read whole in any case"),
  seeds: z
    .enum(["task", "rollout", "none"])
    .default("task")
    .describe("of `reset`. task: all rollouts of a task begin alike; rollout: each has its own; none: the server is given none"),
  reward: z
    .strictObject({
      from: z.enum(["last", "sum"]).default("last").describe("of the rewards of an episode's steps"),
      range: Range.describe("lowest and highest that an episode can earn; becomes 0 to 1. What is outside is refused, never clipped"),
      passAt: z.number().gt(0).max(1).default(1).describe("from here on, of 0 to 1, the task is passed"),
    })
    .prefault({}),
  tasks: z.strictObject({
    train: TaskSource,
    selection: TaskSource.default([]).describe("to choose the policy"),
    test: TaskSource.default([]).describe("to measure the result"),
  }),
});
export type OpenEnvConfig = z.infer<typeof OpenEnvConfig>;
