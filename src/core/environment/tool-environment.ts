// tau-bench's environment around a set of tools: step and grade, as pure functions of immutable states.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Task } from "#contracts/task.ts";
import type { ToolSchema } from "../ports.ts";
import { Draft, type Database, type DatabaseState } from "./database.ts";
import type { Environment, EnvironmentCall, Grade, StepResult } from "./environment.ts";
import { tauText } from "./hash-texts.ts";
import { parseJson } from "./python/parse-json.ts";
import { isDict, PyError, type PyDict } from "./python/values.ts";
import { databaseHash, isSameDatabase, stateHash } from "./state-hash.ts";
import { bindArguments, type Tool } from "./tool.ts";

export interface ToolEnvironmentOptions {
  readonly id: string;
  readonly database: Database;
  readonly tools: readonly Tool[];
  /** What the model is told about the tools, in the order it sees them. */
  readonly schemas: readonly ToolSchema[];
  readonly systemPrompt: string;
  /** Only for `dataSha256`: the tasks that are played in this environment. */
  readonly tasks: readonly Task[];
}

/** Tools that end the conversation. */
const TERMINAL_TOOLS: ReadonlySet<string> = new Set(["transfer_to_human_agents"]);
const MAX_ARGUMENT_CHARACTERS = 1_000_000;

/** The environment over these tools. `grade` replays a task's golden actions once and remembers the state they lead to. */
export function createToolEnvironment(options: ToolEnvironmentOptions): Environment<DatabaseState> {
  const { database, schemas, systemPrompt } = options;
  const tools = new Map(options.tools.map((tool) => [tool.name, tool]));
  const goldenStates = new WeakMap<Task, DatabaseState>();

  const goldenState = (task: Task): DatabaseState => {
    const known = goldenStates.get(task);
    if (known !== undefined) return known;
    const actions = task.goldenActions.filter(({ name }) => !TERMINAL_TOOLS.has(name));
    const state = actions.reduce((before, action) => stepTool(tools, before, action).state, database.initialState);
    goldenStates.set(task, state);
    return state;
  };

  return {
    id: options.id,
    tools: schemas,
    systemPrompt,
    dataSha256: dataSha256(options),
    reset: () => database.initialState,
    step: (state, call) => stepTool(tools, state, call),
    stateHash,
    isTerminal: (name) => TERMINAL_TOOLS.has(name),
    isWrite: (name) => tools.get(name)?.isWrite ?? false,
    grade: (state, task, replies) => gradeState(state, goldenState(task), task.outputs, replies),
  };
}

function dataSha256({ database, tasks, schemas, systemPrompt }: ToolEnvironmentOptions): string {
  return bytesToHex(sha256(utf8ToBytes(JSON.stringify([databaseHash(database), tasks, schemas, systemPrompt]))));
}

/** One call on a state. Never throws for what a model wrote; writes before an exception stay. */
export function stepTool(tools: ReadonlyMap<string, Tool>, state: DatabaseState, call: EnvironmentCall): StepResult<DatabaseState> {
  const tool = tools.get(call.name);
  if (tool === undefined) return { state, observation: `Unknown action ${call.name}`, isError: true };
  const kwargs = parseArguments(call.argumentsJson);
  if (typeof kwargs === "string") return { state, observation: kwargs, isError: true };
  const { observation, ...result } = invokeTool(tool, state, kwargs);
  return { ...result, observation: observation ?? `Error: ${call.name} gave no result` };
}

/** The arguments, or what to answer instead. The benchmark itself ends the conversation on text that is no JSON object. */
function parseArguments(argumentsJson: string): PyDict | string {
  if (argumentsJson.length > MAX_ARGUMENT_CHARACTERS) return `Error: arguments longer than ${MAX_ARGUMENT_CHARACTERS} characters`;
  try {
    const value = parseJson(argumentsJson);
    return isDict(value) ? value : "Error: arguments must be a JSON object";
  } catch (error) {
    if (error instanceof PyError) return `Error: ${error.message}`;
    throw error;
  }
}

/** A known tool with parsed arguments. A null observation means that the benchmark's own step would have raised. */
export function invokeTool(tool: Tool, state: DatabaseState, kwargs: PyDict): { state: DatabaseState; observation: string | null; isError: boolean } {
  const draft = new Draft(state);
  try {
    const observation = tool.run(draft, ...bindArguments(tool, kwargs));
    return { state: draft.state, observation, isError: observation === null || observation.startsWith("Error") };
  } catch (error) {
    if (error instanceof PyError) return { state: draft.state, observation: `Error: ${error.message}`, isError: true };
    throw error;
  }
}

/** tau-bench's reward: the database equals the golden one, and every output occurs in some reply. */
export function gradeState(state: DatabaseState, golden: DatabaseState, outputs: readonly string[], replies: readonly string[]): Grade {
  const isDatabaseMatch = isSameDatabase(state, golden, tauText);
  const heard = replies.map((reply) => reply.toLowerCase().replaceAll(",", ""));
  const missingOutputs = outputs.filter((output) => !heard.some((reply) => reply.includes(output.toLowerCase())));
  return { reward: isDatabaseMatch && missingOutputs.length === 0 ? 1 : 0, isDatabaseMatch, missingOutputs };
}
