// One golden vector against our environments. The kind of a vector shows in its fields, so any file of vectors can be checked.
import type { GoldenTask } from "#contracts/task.ts";
import { startOf } from "#core/text.ts";
import { calculate } from "../calculate/calculate.ts";
import type { DatabaseState } from "../database.ts";
import { str } from "../python/format.ts";
import { parseJson } from "../python/parse-json.ts";
import { dict, isDict, isList, PyDict, PyFloat, type PyValue } from "../python/values.ts";
import { goldenState, gradeState, invokeTool } from "../tool-environment.ts";
import type { Benchmark } from "./benchmark.ts";

/** What a vector is about; null when it has none of the known forms. */
export type VectorKind = "calculate" | "calls" | "episode";

export function vectorKind(vector: PyDict): VectorKind | null {
  if (vector.has("expression")) return "calculate";
  if (isList(vector.get("calls") ?? null)) return "calls";
  return isList(vector.get("actions") ?? null) ? "episode" : null;
}

/** The first difference as one line of text, or null when the vector passes. */
export function checkVector(vector: PyDict, benchmark: Benchmark | null): string | null {
  const kind = vectorKind(vector);
  if (kind === "calculate") return checkCalculation(vector);
  if (benchmark === null) return "the vector names no known domain";
  if (kind === "calls") return checkCalls(vector, benchmark);
  return kind === "episode" ? checkEpisode(vector, benchmark) : "unknown form: expected expression, calls or actions";
}

function checkCalculation(vector: PyDict): string | null {
  return compare("calculate", text(vector, "observation"), calculate(vector.get("expression") ?? null));
}

/** A fresh database, the calls in order, then the hashes. */
function checkCalls(vector: PyDict, benchmark: Benchmark): string | null {
  let state = benchmark.database.initialState;
  for (const [index, call] of dicts(vector, "calls").entries()) {
    const step = invokeTool(benchmark.toolkit, state, text(call, "name"), kwargsOf(call));
    const difference = compareStep(call, step.observation, index) ?? compareErrorFlag(call, step.isError, index);
    if (difference !== null) return difference;
    state = step.state;
  }
  return compareHashes(vector, benchmark, state);
}

function compareStep(call: PyDict, observation: string | null, index: number): string | null {
  const place = `call ${index} ${text(call, "name")}`;
  if (call.has("step_exception"))
    return observation === null ? null : `${place}: expected ${text(call, "step_exception")}, got ${quote(observation)}`;
  const wanted = text(call, "observation");
  const got = observation ?? "an exception of the step itself";
  const isValidation = VALIDATION_ERROR.test(wanted);
  return compare(place, isValidation ? firstLine(wanted) : wanted, isValidation ? firstLine(got) : got);
}

/** pydantic's texts name its version in an address, so only their first line is compared: how many problems, in which model. */
const VALIDATION_ERROR = /^Error: \d+ validation errors? for /;
const firstLine = (value: string) => value.split("\n", 1)[0] ?? "";

function compareErrorFlag(call: PyDict, isError: boolean, index: number): string | null {
  const wanted = call.get("error");
  return typeof wanted !== "boolean" || wanted === isError
    ? null
    : `call ${index} ${text(call, "name")}: expected error ${wanted}, got ${isError}`;
}

function compareHashes(vector: PyDict, benchmark: Benchmark, state: DatabaseState): string | null {
  for (const [field, hasher] of benchmark.hashers) {
    const wanted = vector.get(field);
    const difference = typeof wanted === "string" ? compare(field, wanted, hasher.hash(state)) : null;
    if (difference !== null) return difference;
  }
  return null;
}

const STOP = "###STOP###";

/** A conversation on a task: it ends at a reply with the stop token or at a transfer, and is graded there. */
function checkEpisode(vector: PyDict, benchmark: Benchmark): string | null {
  const split = vector.get("task_split");
  const task = benchmark.tasks.get(typeof split === "string" ? split : "test")?.[Number(vector.get("task_index"))];
  if (task === undefined) return `no task ${str(vector.get("task_index") ?? null)} in split ${str(split ?? "test")}`;
  let state = benchmark.database.initialState;
  const replies: (string | null)[] = [];
  let doneAt: number | null = null;
  for (const [index, action] of dicts(vector, "actions").entries()) {
    const name = text(action, "name");
    if (name === "respond") {
      const content = kwargsOf(action).get("content");
      replies.push(typeof content === "string" ? content : null);
      if (text(action, "user_reply").includes(STOP)) doneAt = index;
    } else {
      const step = invokeTool(benchmark.toolkit, state, name, kwargsOf(action));
      const difference = compareStep(action, step.observation, index);
      if (difference !== null) return difference;
      state = step.state;
      if (benchmark.toolkit.rules.terminalTools.has(name)) doneAt = index;
    }
    if (doneAt !== null) break;
  }
  return compareEnding(vector, benchmark, task, state, replies, doneAt);
}

function compareEnding(
  vector: PyDict,
  benchmark: Benchmark,
  task: GoldenTask,
  state: DatabaseState,
  replies: readonly (string | null)[],
  doneAt: number | null,
): string | null {
  const hash = vector.get("data_hash");
  const stateHash = benchmark.hashers.get("tau_hash")?.hash(state) ?? "";
  const hashDifference = typeof hash === "string" ? compare("data_hash", hash, stateHash) : null;
  if (hashDifference !== null) return hashDifference;
  if (vector.has("raises"))
    return doneAt !== null && gradingRaises(task, replies) ? null : `expected ${text(vector, "raises")}, got a grade`;
  const graded = doneAt === null ? UNGRADED : grade(benchmark, task, state, replies);
  for (const [field, value] of Object.entries({ done_at: doneAt, ...graded })) {
    const wanted = vector.get(field);
    const difference = wanted === undefined ? null : compare(field, plain(wanted), plain(value));
    if (difference !== null) return difference;
  }
  return null;
}

const UNGRADED = { reward: 0 };

function grade(benchmark: Benchmark, task: GoldenTask, state: DatabaseState, replies: readonly (string | null)[]) {
  const golden = goldenState(benchmark.toolkit, benchmark.database, task);
  const spoken = replies.filter((reply) => reply !== null);
  const result = gradeState(benchmark.toolkit.rules, state, { golden, outputs: task.outputs, replies: spoken });
  const hasOutputs = task.outputs.length > 0;
  return {
    reward: result.reward,
    r_actions: result.isDatabaseMatch ? 1 : 0,
    gt_data_hash: benchmark.hashers.get("tau_hash")?.hash(golden) ?? "",
    r_outputs: hasOutputs ? (result.missingOutputs.length === 0 ? 1 : 0) : null,
    outputs: hasOutputs ? PyDict.from(task.outputs.map((output) => [output, !result.missingOutputs.includes(output)])) : null,
  };
}

/** A reply without text breaks the benchmark's search for outputs, unless the output was found before it. */
function gradingRaises(task: GoldenTask, replies: readonly (string | null)[]): boolean {
  const firstNull = replies.indexOf(null);
  if (firstNull < 0) return false;
  const before = replies.slice(0, firstNull).filter((reply) => reply !== null);
  const heard = before.map((reply) => reply.toLowerCase().replaceAll(",", ""));
  return task.outputs.some((output) => !heard.some((reply) => reply.includes(output.toLowerCase())));
}

/** Arguments as the model sent them: the text where there is one, since it keeps int and float apart for certain. */
function kwargsOf(call: PyDict): PyDict {
  const sent = call.get("arguments");
  const kwargs = typeof sent === "string" ? parseJson(sent) : call.get("kwargs");
  return isDict(kwargs ?? null) ? (kwargs as PyDict) : dict();
}

function text(from: PyDict, key: string): string {
  const value = from.get(key);
  return typeof value === "string" ? value : "";
}

function dicts(from: PyDict, key: string): PyDict[] {
  const value = from.get(key) ?? null;
  return isList(value) ? value.filter(isDict) : [];
}

/** One text for values that are equal as JSON: 1 and 1.0 are here the same reward. */
function plain(value: PyValue): string {
  if (value instanceof PyFloat) return String(value.value);
  if (isDict(value)) return `{${Array.from(value, ([key, item]) => `${key}: ${plain(item)}`).join(", ")}}`;
  return str(value);
}

const CONTEXT = 60;

/** Null when equal, else where the texts part. */
function compare(place: string, wanted: string, got: string): string | null {
  if (wanted === got) return null;
  let at = 0;
  while (at < wanted.length && wanted[at] === got[at]) at += 1;
  const start = Math.max(0, at - 20);
  return `${place}: expected ${quote(wanted.slice(start, at + CONTEXT))}, got ${quote(got.slice(start, at + CONTEXT))} (at character ${at})`;
}

const quote = (value: string) => JSON.stringify(value.length > 200 ? `${startOf(value, 200)}…` : value);
