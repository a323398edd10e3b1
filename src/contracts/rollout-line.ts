// One rollout as a line of JSONL: chat messages in OpenAI's form and an outcome. The format for rollouts from anywhere.
import { z } from "zod";
import { Provenance } from "./provenance.ts";
import { StopReason } from "./trajectory.ts";

const Arguments = z.union([z.string(), z.record(z.string(), z.json())]).nullish();
/** What else vendors and frameworks call the arguments of a call: LangChain, tau-bench, Llama and Cohere, Anthropic, LlamaIndex. */
const OTHER_ARGUMENTS = { args: Arguments, kwargs: Arguments, parameters: Arguments, input: Arguments, tool_input: Arguments } as const;
export const ARGUMENT_KEYS = ["arguments", "args", "kwargs", "parameters", "input", "tool_input"] as const;
const CallFields = z.looseObject({ name: z.string(), arguments: Arguments, ...OTHER_ARGUMENTS });
type CallFields = z.infer<typeof CallFields>;

const argumentsOf = (call: Partial<CallFields>) =>
  ARGUMENT_KEYS.map((key) => call[key]).find((value) => value !== undefined && value !== null);
const calledWith = (call: CallFields) => ({ name: call.name, arguments: argumentsOf(call) });
const isFilled = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;

/** A call that seems to have its arguments where nobody looks must not become one without any. */
function refuseOtherArguments(call: CallFields, { addIssue }: z.RefinementCtx): void {
  if (argumentsOf(call) !== undefined) return;
  const [key] = Object.entries(call).find(([, value]) => isFilled(value)) ?? [];
  if (key !== undefined)
    addIssue({ code: "custom", path: [key], message: `not read, and there are no arguments: name them arguments (or ${OTHER_NAMES})` });
}
const OTHER_NAMES = ARGUMENT_KEYS.slice(1).join(", ");

const FunctionCall = CallFields.superRefine(refuseOtherArguments).transform(calledWith);
const Id = z.string().nullish();
/** Accepts OpenAI's nested form and the flat one of tau2: `{ id, name, arguments }`. */
const MessageToolCall = z.union([
  z.object({ id: Id, function: FunctionCall }).transform(({ id, function: call }) => ({ id: id ?? "", ...call })),
  CallFields.extend({ id: Id })
    .superRefine(refuseOtherArguments)
    .transform((call) => ({ id: call.id ?? "", ...calledWith(call) })),
]);

const Content = z
  .union([z.string(), z.array(z.object({ type: z.string(), text: z.string().optional(), refusal: z.string().optional() }))])
  .nullish();
const Name = Id.catch(null);

const MessageFields = z.object({
  role: z
    .enum(["system", "user", "assistant", "tool", "developer", "human", "gpt", "model", "function", "observation", "ipython"])
    .describe("the last seven are other names: developer is system, human is user, gpt and model are assistant, the rest is tool"),
  content: Content,
  refusal: z.string().nullish().catch(null).describe("OpenAI's field for what is said where the model declines"),
  tool_calls: z.array(MessageToolCall).nullish(),
  function_call: FunctionCall.nullish().describe("the older form of a single call; its result has the role function"),
  tool_call_id: Id,
  toolCallId: Name.describe("another name for tool_call_id, as are call_id and tool_use_id"),
  call_id: Name,
  tool_use_id: Name,
  tool_responses: z
    .array(z.object({ tool_call_id: Id, content: Content }))
    .nullish()
    .catch(null)
    .describe("AutoGen's results of several calls in one message"),
  id: z.string().nullish(),
  name: Name.describe("of a result: the tool that it comes from"),
  tool_name: Name.describe("another name for name, as is toolName"),
  toolName: Name,
  reasoning_content: z.string().nullish().catch(null).describe("what the model thought before it spoke, where it is text"),
  reasoning: z.string().nullish().catch(null).describe("the same under its newer name"),
  raw_data: z
    .object({ unreadable_arguments: z.array(z.string().nullable()).nullish(), reasoning_content: z.string().nullish() })
    .nullish()
    .catch(null)
    .describe("tau2's field for anything else; what exports of ours leave there"),
  error: z.boolean().nullish(),
  is_error: z.boolean().nullish().catch(null).describe("another name for error"),
  isError: z.boolean().nullish().catch(null).describe("another name for error"),
  status: z.string().nullish().catch(null).describe("of a result of LangChain: error where the call failed"),
  requestor: z.string().nullish(),
});

/** Every field of a message that is read, under all of its names. */
export const MESSAGE_FIELDS: ReadonlySet<string> = new Set(Object.keys(MessageFields.shape));

type OtherNames = "toolCallId" | "call_id" | "tool_use_id" | "tool_name" | "toolName" | "is_error" | "isError" | "status";
type PlainMessage = Omit<z.infer<typeof MessageFields>, OtherNames>;

/** A chat message in OpenAI's form; what frameworks call by another name comes out under OpenAI's. */
export const ChatMessage = MessageFields.transform(
  ({ toolCallId, call_id, tool_use_id, tool_name, toolName, is_error, isError, error, status, ...message }): PlainMessage => ({
    ...message,
    tool_call_id: message.tool_call_id ?? toolCallId ?? call_id ?? tool_use_id,
    name: message.name ?? tool_name ?? toolName,
    /** Whether the file says that the call failed; absent where it does not say. */
    error: error ?? is_error ?? isError ?? (status === "error" ? true : undefined),
  }),
);
export type ChatMessage = z.infer<typeof ChatMessage>;

const COMPARED = z
  .array(z.string())
  .nullish()
  .describe("as in tau2: the arguments that a call must have alike to be this one; [] is the name alone; absent or null is all");
const GoldenFields = CallFields.extend({ name: z.string().min(1), compare_args: COMPARED });
/** In OpenAI's nested form or flat, as calls are. */
const GoldenCall = z.union([
  z
    .object({ function: FunctionCall, compare_args: COMPARED })
    .transform(({ function: call, compare_args: compared }) => ({ ...call, compare_args: compared })),
  GoldenFields.superRefine(refuseOtherArguments).transform((call) => ({ ...calledWith(call), compare_args: call.compare_args })),
]);

const Parameters = z.record(z.string(), z.json()).nullish();
const ToolFunction = z
  .object({
    name: z.string().min(1),
    description: z.string().nullish(),
    parameters: Parameters.describe(
      "JSON schema of the arguments; Anthropic calls it input_schema, the Model Context Protocol inputSchema",
    ),
    input_schema: Parameters,
    inputSchema: Parameters,
  })
  .transform(({ name, description, parameters, input_schema, inputSchema }) => ({
    name,
    description,
    parameters: parameters ?? input_schema ?? inputSchema,
  }));
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
