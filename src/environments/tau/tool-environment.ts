// tau-bench's environment around a set of tools: step and grade, as pure functions of immutable states.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { GoldenTask } from "#contracts/task.ts";
import type { Environment, EnvironmentCall, StateGrade, StepResult } from "#core/environment/environment.ts";
import { isNoArguments } from "#core/exact-json.ts";
import type { ToolSchema } from "#core/ports.ts";
import { type Database, type DatabaseState, Draft } from "./database.ts";
import { tauText } from "./hash-texts.ts";
import { parseJson } from "./python/parse-json.ts";
import { dict, isDict, type PyDict, PyError } from "./python/values.ts";
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
  readonly tasks: readonly GoldenTask[];
  readonly rules: BenchmarkRules;
}

/** What the two benchmarks do differently around their tools. */
export interface BenchmarkRules {
  /** Databases are equal when their records have equal texts. */
  readonly recordText: (fields: PyDict) => string;
  /** Tools that end the conversation by themselves. */
  readonly terminalTools: ReadonlySet<string>;
  /** The answer to a tool name that does not exist; throws PyError where the call itself fails before. */
  readonly unknownTool: (name: string, kwargs: PyDict) => string;
}

export const TAU_RULES: BenchmarkRules = {
  recordText: tauText,
  terminalTools: new Set(["transfer_to_human_agents"]),
  unknownTool: (name) => `Unknown action ${name}`,
};

const MAX_ARGUMENT_CHARACTERS = 1_000_000;
/** To a caller without types, whose objects may be anything, cyclic too. */
const NO_CALL = "Error: a call is the name of a tool and its arguments as JSON text";

/** Tools by name, and the rules of their benchmark. */
export interface Toolkit {
  readonly tools: ReadonlyMap<string, Tool>;
  readonly rules: BenchmarkRules;
}

export function toolkitOf(tools: readonly Tool[], rules: BenchmarkRules): Toolkit {
  return { tools: new Map(tools.map((tool) => [tool.name, tool])), rules };
}

/** The environment over these tools. `grade` replays a task's golden actions once and remembers the state they lead to. */
export function createToolEnvironment(options: ToolEnvironmentOptions): Environment<DatabaseState> {
  const { database, schemas, systemPrompt, rules } = options;
  const toolkit = toolkitOf(options.tools, rules);
  const goldenStates = new WeakMap<GoldenTask, DatabaseState>();

  const goldenStateOf = (task: GoldenTask): DatabaseState => {
    const known = goldenStates.get(task);
    if (known !== undefined) return known;
    const state = goldenState(toolkit, database, task);
    goldenStates.set(task, state);
    return state;
  };

  return {
    id: options.id,
    tools: schemas,
    systemPrompt,
    dataSha256: dataSha256(options),
    reset: () => database.initialState,
    step: (state, call) => stepTool(toolkit, state, call),
    stateHash,
    isTerminal: (name) => rules.terminalTools.has(name),
    isWrite: (name) => toolkit.tools.get(name)?.isWrite ?? false,
    grade: (state, task, replies) => gradeState(rules, state, { golden: goldenStateOf(task), outputs: task.outputs, replies }),
  };
}

function dataSha256({ database, tasks, schemas, systemPrompt }: ToolEnvironmentOptions): string {
  return bytesToHex(sha256(utf8ToBytes(JSON.stringify([databaseHash(database), tasks, schemas, systemPrompt]))));
}

/** The state that a task's golden actions lead to; the ones that end the conversation are left out, failing ones change what they change. */
export function goldenState(toolkit: Toolkit, database: Database, task: GoldenTask): DatabaseState {
  const actions = task.goldenActions.filter(({ name }) => !toolkit.rules.terminalTools.has(name));
  return actions.reduce((state, action) => stepTool(toolkit, state, action).state, database.initialState);
}

/** One call on a state. Never throws for what a model wrote; writes before an exception stay. */
function stepTool(toolkit: Toolkit, state: DatabaseState, { name, argumentsJson }: EnvironmentCall): StepResult<DatabaseState> {
  if (typeof name !== "string" || typeof argumentsJson !== "string") return { state, observation: NO_CALL, isError: true };
  const kwargs = parseArguments(argumentsJson);
  if (typeof kwargs === "string") return { state, observation: kwargs, isError: true };
  const { observation, ...result } = invokeTool(toolkit, state, name, kwargs);
  return { ...result, observation: observation ?? `Error: ${name} gave no result` };
}

/** The arguments, or what to answer instead. The benchmark itself ends the conversation on text that is no JSON object. */
function parseArguments(argumentsJson: string): PyDict | string {
  if (isNoArguments(argumentsJson)) return dict();
  if (argumentsJson.length > MAX_ARGUMENT_CHARACTERS) return `Error: arguments longer than ${MAX_ARGUMENT_CHARACTERS} characters`;
  try {
    const value = parseJson(argumentsJson);
    return isDict(value) ? value : "Error: arguments must be a JSON object";
  } catch (error) {
    if (error instanceof PyError) return `Error: ${error.message}`;
    throw error;
  }
}

/** A tool, known or not, with parsed arguments. A null observation means that the benchmark's own step would have raised. */
export function invokeTool(
  { tools, rules }: Toolkit,
  state: DatabaseState,
  name: string,
  kwargs: PyDict,
): { state: DatabaseState; observation: string | null; isError: boolean } {
  const draft = new Draft(state);
  try {
    const tool = tools.get(name);
    if (tool === undefined) return { state, observation: rules.unknownTool(name, kwargs), isError: true };
    const observation = tool.run(draft, ...bindArguments(tool, kwargs));
    return { state: draft.state, observation, isError: observation === null || observation.startsWith("Error") };
  } catch (error) {
    if (error instanceof PyError) return { state: draft.state, observation: `Error: ${error.message}`, isError: true };
    throw error;
  }
}

export interface GradeInput {
  readonly golden: DatabaseState;
  readonly outputs: readonly string[];
  readonly replies: readonly string[];
}

/** The benchmark's reward: the database equals the golden one, and every output occurs in some reply. */
export function gradeState(rules: BenchmarkRules, state: DatabaseState, { golden, outputs, replies }: GradeInput): StateGrade {
  const isDatabaseMatch = isSameDatabase(state, golden, rules.recordText);
  const missing = missingOutputs(outputs, replies);
  return { reward: isDatabaseMatch && missing.length === 0 ? 1 : 0, isDatabaseMatch, missingOutputs: missing };
}

/** The outputs that no reply contains, by the rule of both benchmarks: letter case is ignored, and so are the replies' commas. */
export function missingOutputs(outputs: readonly string[], replies: readonly string[]): string[] {
  const heard = replies.map((reply) => reply.toLowerCase().replaceAll(",", ""));
  return outputs.filter((output) => !heard.some((reply) => reply.includes(output.toLowerCase())));
}
