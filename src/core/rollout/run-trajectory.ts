// One rollout: tau-bench's conversation between a policy, a simulated user and an environment, journalled turn by turn.
// Failures of the parties are data (typed outcomes); exceptions are for the caller's retry policy, for cancellation and for bugs.
import type { Task } from "#contracts/task.ts";
import type { Outcome, OutcomeType, ToolCall, Trajectory, Turn } from "#contracts/trajectory.ts";
import type { Environment } from "../environment/environment.ts";
import { CampaignError } from "../errors.ts";
import type {
  AgentTurn,
  AgentTurnRecord,
  Conversation,
  JournalEntry,
  Policy,
  SimulatorNotes,
  SimulatorReply,
  SimulatorView,
  TurnJournal,
  UserSimulator,
} from "../ports.ts";
import { deriveSeed, seedToInt } from "../rng.ts";
import { type Ending, endingAfter, gradeEnding, STOP_TOKEN } from "./ending.ts";
import { isPrematureStop, pendingWrites } from "./premature-stop.ts";
import { addTroubles, PREMATURE_STOP, SimulatorFailure, type SimulatorTroubles } from "./simulator-failure.ts";
import { spokenText } from "./spoken-text.ts";
import { buildTokenRows } from "./token-rows.ts";
import { addReasoning, addUsage, NO_CALLS, NO_USAGE } from "./usage.ts";
import type { UserHelp } from "./user-help.ts";

export interface TrajectoryInput<State> {
  readonly task: Task;
  readonly trial: number;
  readonly environment: Environment<State>;
  readonly policy: Policy;
  readonly simulator: UserSimulator;
  /** Holds what an earlier, interrupted attempt at this same rollout did; empty for a new one. */
  readonly journal: TurnJournal;
  /** Turn seeds are derived from it: (seed, "policy" | "simulator", turn). */
  readonly seed: string;
  readonly limits: { readonly maxTurns: number };
  /** Absent: count. */
  readonly userHelp?: UserHelp | undefined;
  readonly signal: AbortSignal;
  /** Called after every turn that is played (not for those read from the journal). */
  readonly onTurn?: (turn: Turn) => void;
  /** Called before the user is waited for or asked again. */
  readonly onUserTrouble?: ((trouble: Error) => void) | undefined;
}

export interface TrajectoryResult {
  readonly trajectory: Trajectory;
  /** Turns taken from the journal. */
  readonly numResumedTurns: number;
  /** What went wrong when the outcome is env_error, sim_error or infra_error. */
  readonly error: unknown;
}

type TurnEntry = Extract<JournalEntry, { type: "turn" }>;

interface Progress<State> {
  state: State;
  firstUserMessage: string | null;
  readonly records: AgentTurnRecord[];
  /** What the user model remembers of its own messages: the opening, then one per record. */
  readonly memories: (string | null)[];
  usage: Trajectory["usage"];
  troubles: SimulatorTroubles;
  ending: Ending | null;
  numResumedTurns: number;
}

/**
 * Plays one rollout to its end, from wherever its journal stops. The same seed and parties give the same trajectory, interrupted or not.
 *
 * The user opens. Of a message's tool calls the first is executed. It ends with ###STOP### in a reply, a terminal tool, the turn cap, a turn
 * cut at its token limit, a full context, or output that cannot be parsed (source: tau-bench's tool-calling agent and `Env.step`).
 *
 * throws  provider.* errors that trying again can help (journalled turns stay, call again); environment.replay-mismatch when the
 *         journal does not fit the environment; the signal's reason when aborted; errors of the journal itself
 */
export async function runTrajectory<State>(input: TrajectoryInput<State>): Promise<TrajectoryResult> {
  const progress = replay(input, await input.journal.read());
  try {
    if (progress.firstUserMessage === null) await open(input, progress);
    while (progress.ending === null) await playTurn(input, progress);
    return finish(input, progress, grade(input, progress), null);
  } catch (error) {
    if (!(error instanceof RolloutFailure)) throw error;
    return finish(input, progress, error.outcome, error.cause);
  }
}

/** A rollout that is given up from outside: its journalled turns and what they cost, without a reward. */
export async function abandonTrajectory<State>(input: TrajectoryInput<State>, error: CampaignError): Promise<TrajectoryResult> {
  const progress = replay(input, await input.journal.read());
  return finish(input, progress, new RolloutFailure("infra_error", error).outcome, error);
}

/** Ends a rollout as data. Never leaves this file. */
class RolloutFailure extends Error {
  readonly outcome: Outcome;
  constructor(type: OutcomeType, cause: CampaignError) {
    super(type, { cause });
    const detail = `${cause.code}: ${cause.message}`;
    this.outcome = { type, reward: null, passed: null, parts: {}, stopReason: "error", isDatabaseMatch: null, detail };
  }
}

function replay<State>(input: TrajectoryInput<State>, entries: readonly JournalEntry[]): Progress<State> {
  const progress: Progress<State> = {
    state: input.environment.reset(),
    firstUserMessage: null,
    records: [],
    memories: [],
    usage: NO_USAGE,
    troubles: {},
    ending: null,
    numResumedTurns: 0,
  };
  for (const entry of entries) {
    if (entry.type === "turn") progress.state = replayTurn(input, progress.state, entry.turn);
    absorb(input, progress, entry);
  }
  progress.numResumedTurns = progress.records.length;
  return progress;
}

/** Steps the recorded calls again and compares results and state hash with the record. */
function replayTurn<State>({ environment, task }: TrajectoryInput<State>, state: State, turn: Turn): State {
  let next = state;
  for (const call of turn.toolCalls.filter((call) => call.isExecuted)) {
    const step = environment.step(next, call);
    if (step.observation !== call.result) throw mismatch(task, turn, `${call.name} answers differently`);
    next = step.state;
  }
  if (turn.stateHash !== environment.stateHash(next)) throw mismatch(task, turn, "the state hash differs");
  return next;
}

function mismatch(task: Task, turn: Turn, what: string): CampaignError {
  return new CampaignError("environment.replay-mismatch", `turn ${turn.index} of task ${task.id} does not replay: ${what}`, {
    next: "the environment's data or code changed since the rollout began; restore it, or fork the campaign",
  });
}

/** Takes a journalled or just played entry into the progress. The one place where progress grows. */
function absorb<State>(input: TrajectoryInput<State>, progress: Progress<State>, entry: JournalEntry): void {
  progress.memories.push(entry.simulatorMemory ?? null);
  progress.troubles = addTroubles(progress.troubles, entry.simulatorTroubles);
  if (entry.type === "opening") {
    progress.firstUserMessage = entry.firstUserMessage;
    progress.usage = addUsage(progress.usage, NO_CALLS, entry.simulatorUsage);
    return;
  }
  progress.records.push({ turn: entry.turn, tokens: entry.tokens });
  progress.usage = addReasoning(addUsage(progress.usage, entry.usage, entry.simulatorUsage), entry.turn);
  progress.ending = endingAfter(entry.turn, entry.parseError, input.environment, input.limits.maxTurns);
}

async function open<State>(input: TrajectoryInput<State>, progress: Progress<State>): Promise<void> {
  const reply = await askUser(input, progress, null);
  if (reply.content.includes(STOP_TOKEN)) {
    throw new RolloutFailure("sim_error", new CampaignError("simulator.premature-stop", "the user stopped before saying anything"));
  }
  await commit(input, progress, { type: "opening", firstUserMessage: reply.content, simulatorUsage: reply.usage, ...notesOf(reply) });
}

async function playTurn<State>(input: TrajectoryInput<State>, progress: Progress<State>): Promise<void> {
  const answer = await askPolicy(input, progress);
  if (answer === null) {
    progress.ending = { stopReason: "context-cap", detail: "the conversation no longer fits the model's context" };
    return;
  }
  const played = await applyAnswer(input, progress, answer).catch((error: unknown) => {
    progress.usage = addUsage(progress.usage, answer.usage, NO_CALLS); // paid for, although no turn comes of it
    throw error;
  });
  progress.state = played.state;
  await commit(input, progress, played.entry);
  input.onTurn?.(played.entry.turn);
}

async function commit<State>(input: TrajectoryInput<State>, progress: Progress<State>, entry: JournalEntry): Promise<void> {
  await input.journal.append(entry);
  absorb(input, progress, entry);
}

/** The consequences of an agent's message: its first tool call executed, or the user's answer; nothing when it was cut or unreadable. */
async function applyAnswer<State>(
  input: TrajectoryInput<State>,
  progress: Progress<State>,
  answer: AgentTurn,
): Promise<{ state: State; entry: TurnEntry }> {
  const isLost = answer.finishReason === "length" || answer.parseError !== null;
  const call = isLost ? undefined : answer.toolCalls[0];
  const step = call === undefined ? null : inEnvironment(() => input.environment.step(progress.state, call));
  const reply = isLost || call !== undefined ? null : await askUser(input, progress, answer);
  const state = step?.state ?? progress.state;
  const turn: Turn = {
    index: progress.records.length,
    content: answer.content,
    toolCalls: answer.toolCalls.map((toolCall, position) => toolRecord(toolCall, position === 0 ? step : null)),
    userReply: reply?.content ?? null,
    finishReason: answer.finishReason,
    stateHash: inEnvironment(() => input.environment.stateHash(state)),
    ...(answer.reasoning === undefined || answer.reasoning === "" ? {} : { reasoning: answer.reasoning }),
  };
  const { tokens, parseError, usage } = answer;
  const simulatorUsage = reply?.usage ?? NO_CALLS;
  return { state, entry: { type: "turn", turn, tokens, parseError, usage, simulatorUsage, ...(reply === null ? {} : notesOf(reply)) } };
}

/** Only what there is: a journal line says nothing about what did not happen. */
function notesOf({ memory, troubles }: SimulatorReply): SimulatorNotes {
  return {
    ...(memory === undefined ? {} : { simulatorMemory: memory }),
    ...(troubles === undefined ? {} : { simulatorTroubles: troubles }),
  };
}

function toolRecord(call: AgentTurn["toolCalls"][number], step: { observation: string; isError: boolean } | null): ToolCall {
  const { id, name, argumentsJson } = call;
  return { id, name, argumentsJson, result: step?.observation ?? null, isError: step?.isError ?? false, isExecuted: step !== null };
}

/** The policy's next message, or null when its context is full. */
async function askPolicy<State>(input: TrajectoryInput<State>, progress: Progress<State>): Promise<AgentTurn | null> {
  const conversation: Conversation = {
    systemPrompt: input.environment.systemPrompt,
    tools: input.environment.tools,
    firstUserMessage: progress.firstUserMessage ?? "",
    turns: progress.records,
  };
  const seed = seedToInt(deriveSeed(input.seed, "policy", progress.records.length));
  try {
    return withReadableAnswer(await input.policy.respond(conversation, { seed, signal: input.signal }));
  } catch (error) {
    if (input.signal.aborted || !(error instanceof CampaignError) || error.retryable) throw error;
    if (error.code === "provider.context-overflow") return null;
    throw new RolloutFailure("infra_error", error);
  }
}

/** A message with neither text nor a call says nothing to anybody; one of mere reasoning says nothing to the user. */
function withReadableAnswer(answer: AgentTurn): AgentTurn {
  const isEmpty = answer.toolCalls.length === 0 && spokenText(answer.content ?? "").trim() === "";
  return isEmpty && answer.parseError === null ? { ...answer, parseError: "the message has neither text nor a tool call" } : answer;
}

/** The user's answer to the agent's message, or its opening when there is none. */
async function askUser<State>(input: TrajectoryInput<State>, progress: Progress<State>, answer: AgentTurn | null): Promise<SimulatorReply> {
  const seed = deriveSeed(input.seed, "simulator", answer === null ? "opening" : progress.records.length);
  const view = viewWith(progress, answer);
  const countPendingWrites = () => inEnvironment(() => numPendingWrites(input, progress));
  const help = input.userHelp === "judge" ? { countPendingWrites } : {};
  try {
    const reply = await input.simulator.reply(input.task, view, { seed, signal: input.signal, onTrouble: input.onUserTrouble, ...help });
    const isFlagged = input.userHelp !== "judge" && answer !== null && isEarlyStop(input.task, view, reply, countPendingWrites);
    return isFlagged ? { ...reply, troubles: addTroubles(reply.troubles, { [PREMATURE_STOP]: 1 }) } : reply;
  } catch (error) {
    const canRetryCall = error instanceof CampaignError && error.retryable && error.code.startsWith("provider.");
    if (input.signal.aborted || canRetryCall || error instanceof RolloutFailure) throw error;
    if (error instanceof SimulatorFailure) {
      progress.usage = addUsage(progress.usage, NO_CALLS, error.usage);
      progress.troubles = addTroubles(progress.troubles, error.troubles);
    }
    throw new RolloutFailure("sim_error", named("simulator.failed", "the simulated user", error));
  }
}

function isEarlyStop(task: Task, view: SimulatorView, { content }: SimulatorReply, countPendingWrites: () => number): boolean {
  return content.includes(STOP_TOKEN) && isPrematureStop({ task, view, reply: content, numPendingWrites: countPendingWrites() });
}

/** A bug of a party, under the party's name: the same conversation meets it again, another one perhaps not. */
function named(code: "simulator.failed" | "environment.failed", who: string, error: unknown): CampaignError {
  if (error instanceof CampaignError) return error;
  return new CampaignError(code, `${who} failed with a bug: ${String(error)}`, {
    cause: error,
    next: "mend it or report it, then resume: finished turns are kept",
  });
}

/** 0 as soon as the database is the golden one, however it came to be. */
function numPendingWrites<State>({ task, environment }: TrajectoryInput<State>, { records, state }: Progress<State>): number {
  const turns = records.map(({ turn }) => turn);
  const { length } = pendingWrites(task, turns, environment);
  return length > 0 && environment.grade(state, task, []).isDatabaseMatch ? 0 : length;
}

/** What the user has heard and said. Reasoning is cut out here, so that no simulator ever sees any. */
function viewWith<State>({ firstUserMessage, records, memories }: Progress<State>, answer: AgentTurn | null): SimulatorView {
  const past = records.flatMap(({ turn }, index) => (turn.toolCalls.length === 0 ? [{ turn, memory: memories[index + 1] ?? null }] : []));
  const exchanges = past.map(({ turn }) => ({ agent: spokenText(turn.content ?? ""), user: turn.userReply }));
  const current = answer === null ? [] : [{ agent: spokenText(answer.content ?? ""), user: null }];
  return {
    firstUserMessage,
    exchanges: [...exchanges, ...current],
    memories: [memories[0] ?? null, ...past.map(({ memory }) => memory)],
  };
}

function inEnvironment<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw new RolloutFailure("env_error", named("environment.failed", "the environment", error));
  }
}

function grade<State>(input: TrajectoryInput<State>, progress: Progress<State>): Outcome {
  const { ending } = progress;
  if (ending === null) throw new Error("an unfinished rollout has no outcome");
  const turns = progress.records.map(({ turn }) => turn);
  return inEnvironment(() => gradeEnding(ending, input.environment, progress.state, input.task, turns));
}

function finish<State>(input: TrajectoryInput<State>, progress: Progress<State>, outcome: Outcome, error: unknown): TrajectoryResult {
  const { task, trial, policy, simulator, environment, seed } = input;
  const trajectory: Trajectory = {
    schemaVersion: 2,
    taskId: task.id,
    trial,
    environment: environment.id,
    policy: { name: policy.ref.name, hash: policy.ref.hash, format: policy.format },
    simulator: { id: simulator.id, hash: simulator.hash },
    seed,
    firstUserMessage: progress.firstUserMessage ?? "",
    turns: progress.records.map(({ turn }) => turn),
    rows: buildTokenRows(progress.records.map(({ tokens }) => tokens)),
    outcome,
    usage: progress.usage,
    ...(Object.keys(progress.troubles).length === 0 ? {} : { simulatorTroubles: progress.troubles }),
  };
  return { trajectory, numResumedTurns: progress.numResumedTurns, error };
}
