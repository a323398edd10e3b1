// One rollout as a line of JSONL: chat messages in OpenAI's form and an outcome. The format for rollouts from anywhere.
import { z } from "zod";
import { Provenance } from "./provenance.ts";
import { StopReason } from "./trajectory.ts";

const Arguments = z.union([z.string(), z.record(z.string(), z.json())]).nullish();
const CallFields = z.object({ name: z.string(), arguments: Arguments, args: Arguments.describe("LangChain's name for the arguments") });
const withArguments = <Call extends z.infer<typeof CallFields>>({ args, ...call }: Call) => ({
  ...call,
  arguments: call.arguments ?? args,
});
const FunctionCall = CallFields.transform(withArguments);
/** Accepts OpenAI's nested form and the flat one of tau2: `{ id, name, arguments }`. */
const MessageToolCall = z.union([
  z.object({ id: z.string().nullish(), function: FunctionCall }).transform(({ id, function: call }) => ({ id: id ?? "", ...call })),
  CallFields.extend({ id: z.string().nullish() }).transform(({ id, ...call }) => ({ id: id ?? "", ...withArguments(call) })),
]);

const Content = z.union([z.string(), z.array(z.object({ type: z.string(), text: z.string().optional() }))]).nullish();

export const ChatMessage = z.object({
  role: z
    .enum(["system", "user", "assistant", "tool", "developer", "human", "gpt", "model", "function", "observation", "ipython"])
    .describe("the last seven are other names: developer is system, human is user, gpt and model are assistant, the rest is tool"),
  content: Content,
  tool_calls: z.array(MessageToolCall).nullish(),
  function_call: FunctionCall.nullish().describe("the older form of a single call; its result has the role function"),
  tool_call_id: z.string().nullish(),
  id: z.string().nullish(),
  name: z.string().nullish().catch(null).describe("of a result: the tool that it comes from"),
  reasoning_content: z.string().nullish().catch(null).describe("what the model thought before it spoke, where it is text"),
  reasoning: z.string().nullish().catch(null).describe("the same under its newer name"),
  raw_data: z
    .object({ unreadable_arguments: z.array(z.string().nullable()).nullish(), reasoning_content: z.string().nullish() })
    .nullish()
    .catch(null)
    .describe("tau2's field for anything else; what exports of ours leave there"),
  error: z.boolean().nullish(),
  is_error: z.boolean().nullish().catch(null).describe("another name for error"),
  status: z.string().nullish().catch(null).describe("of a result of LangChain: error where the call failed"),
  requestor: z.string().nullish(),
});
export type ChatMessage = z.infer<typeof ChatMessage>;

const GoldenCall = z.object({
  name: z.string().min(1),
  arguments: z.union([z.string(), z.record(z.string(), z.json())]).nullish(),
  compare_args: z
    .array(z.string())
    .nullish()
    .describe("as in tau2: the arguments that a call must have alike to be this one; [] is the name alone; absent or null is all"),
});

const ToolFunction = z.object({
  name: z.string().min(1),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.json()).nullish().describe("JSON schema of the arguments"),
});
/** In OpenAI's nested form or flat. */
const ToolDefinition = z.union([z.object({ function: ToolFunction }).transform(({ function: tool }) => tool), ToolFunction]);

const OUT_OF_RANGE = { error: ({ input }: { readonly input?: unknown }) => `wanted a number from 0 to 1, got ${String(input)}` };

/** Only `task_id`, `messages` and `outcome` are needed. Without golden actions no call can be gold or soft. `outcome: null` excludes the line. */
export const RolloutLine = z
  .strictObject({
    task_id: z
      .union([z.string().min(1), z.int()])
      .transform(String)
      .describe("rollouts with the same task_id form a group, unless what is known of their tasks differs"),
    task_set: z
      .string()
      .min(1)
      .optional()
      .describe("benchmark, domain or split that the task is of: tasks of two sets are two tasks, whatever their ids"),
    trial: z.int().nonnegative().optional().describe("number of the rollout in its group; default: order in the file"),
    user_id: z.string().optional().describe("tasks of one user never stand on both sides of a split"),
    messages: z.array(ChatMessage).min(1),
    outcome: z
      .union([
        z.number("a number from 0 to 1").min(0, OUT_OF_RANGE).max(1, OUT_OF_RANGE),
        z.boolean().transform((passed): number => (passed ? 1 : 0)),
        z.null(),
      ])
      .describe("reward from 0 to 1, of which 1 alone is a pass; true is 1, false is 0"),
    golden_actions: z.array(GoldenCall).nullish().describe("absent or null: not known, which is not the same as []"),
    outputs: z.array(z.string()).nullish().describe("strings that the task's reward asks the agent to say; absent or null: not known"),
    stop_reason: StopReason.optional().describe("turn-cap, token-cap and context-cap mark a rollout that was cut; default user-stop"),
    instruction: z.string().optional(),
    policy: z.string().optional(),
    turnwise: Provenance.optional().describe(
      "what an export of ours says of the rollout beside: which one it was, and its outcome in full",
    ),
    tools: z
      .array(ToolDefinition)
      .nullish()
      .describe("the tools as the model was told of them; their schemas say which arguments are numbers, which nothing else does"),
  })
  .meta({ id: "RolloutLine" });
export type RolloutLine = z.infer<typeof RolloutLine>;
