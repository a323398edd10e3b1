// One rollout: tau-bench's conversation between a policy, a simulated user and an environment, journalled turn by turn.
// Failures of the parties are data (typed outcomes); exceptions are for the caller's retry policy, for cancellation and for bugs.
import type { Task } from "#contracts/task.ts";
import type { Outcome, OutcomeType, ToolCall, Trajectory, Turn } from "#contracts/trajectory.ts";
import type { Environment } from "../environment/environment.ts";
import type { Observation, World } from "../environment/episode.ts";
import { type GuardedEpisode, openGuarded } from "../environment/guarded-episode.ts";
import { executedCalls, greetingOf, saysStop } from "../environment/protocol.ts";
import { isWorld, pureWorld } from "../environment/pure-episode.ts";
import { CampaignError } from "../errors.ts";
import type {
  AgentTurn,
  AgentTurnRecord,
  Clock,
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
import { type Ending, endingAfter, outcomeOf } from "./ending.ts";
import { isPrematureStop } from "./premature-stop.ts";
import { addTroubles, PREMATURE_STOP, SimulatorFailure, type SimulatorTroubles } from "./simulator-failure.ts";
import { spokenText } from "./spoken-text.ts";
import { buildTokenRows } from "./token-rows.ts";
import { addReasoning, addUsage, NO_CALLS, NO_USAGE } from "./usage.ts";
import type { UserHelp } from "./user-help.ts";

export interface TrajectoryInput<State> {
  readonly task: Task;
  readonly trial: number;
  /** A pure one, or a world whose episodes take time. */
  readonly environment: Environment<State> | World;
  readonly policy: Policy;
  readonly simulator: UserSimulator;
  /** Holds what an earlier, interrupted attempt at this same rollout did; empty for a new one. */
  readonly journal: TurnJournal;
  /** Turn seeds are derived from it: (seed, "policy" | "simulator", turn). */
  readonly seed: string;
  readonly limits: { readonly maxTurns: number };
  /** Holds the deadlines of a world; a pure environment needs none. */
  readonly clock?: Clock | undefined;
  /** Absent: count. */
  readonly userHelp?: UserHelp | undefined;
  readonly signal: AbortSignal;
  /** Called after every turn that is played (not for those read from the journal). */
  readonly onTurn?: (turn: Turn) => void;
  /** Called before the user is waited for or asked again. */
  readonly onUserTrouble?: ((trouble: Error) => void) | undefined;
  /** Told what an episode answered to being closed, where that was an error: the rollout stands. */
  readonly onEnvironmentTrouble?: ((trouble: Error) => void) | undefined;
}

export interface TrajectoryResult {
  readonly trajectory: Trajectory;
  /** Turns taken from the journal. */
  readonly numResumedTurns: number;
  /** What went wrong when the outcome is env_error, sim_error or infra_error. */
  readonly error: unknown;
}

type TurnEntry = Extract<JournalEntry, { type: "turn" }>;

interface Progress {
  firstUserMessage: string | null;
  readonly records: AgentTurnRecord[];
  /** What the user model remembers of its own messages: the opening, then one per record. */
  readonly memories: (string | null)[];
  usage: Trajectory["usage"];
  troubles: SimulatorTroubles;
  ending: Ending | null;
  numResumedTurns: number;
  /** Times that the rollout began again, since its world cannot go on where it was. */
  numRestarts: number;
}

/** A rollout in play. */
interface Play<State> extends TrajectoryInput<State> {
  readonly world: World;
  readonly episode: GuardedEpisode;
  readonly progress: Progress;
}

/**
 * Plays one rollout to its end, from wherever its journal stops. The same seed and parties give the same trajectory, interrupted or not.
 *
 * Who opens, which calls of a message are executed and what ends the conversation is said by the protocol of the environment's task set;
 * a pure environment has tau-bench's (source: its tool-calling agent and `Env.step`). It also ends with the turn cap, a turn cut at its
 * token limit, a full context, or output that cannot be parsed. The episode is closed once, whatever happens.
 *
 * throws  provider.* errors that trying again can help (journalled turns stay, call again); environment.replay-mismatch when the
 *         journal does not fit the environment; the signal's reason when aborted; errors of the journal itself
 */
export async function runTrajectory<State>(input: TrajectoryInput<State>): Promise<TrajectoryResult> {
  const world = worldOf(input.environment);
  const { progress, snapshot } = await readJournal(input, world);
  let episode: GuardedEpisode | null = null;
  try {
    episode = await inEnvironment(input, () => openEpisode(input, world, snapshot));
    const play = { ...input, world, episode, progress };
    await resume(play);
    if (progress.firstUserMessage === null) await open(play);
    while (progress.ending === null) await playTurn(play);
    return finish(input, progress, await grade(play), null);
  } catch (error) {
    if (!(error instanceof RolloutFailure)) throw error;
    return finish(input, progress, error.outcome, error.cause);
  } finally {
    await episode?.close();
  }
}

/** A rollout that is given up from outside: its journalled turns and what they cost, without a reward. */
export async function abandonTrajectory<State>(input: TrajectoryInput<State>, error: CampaignError): Promise<TrajectoryResult> {
  const progress = progressOf(worldOf(input.environment), input.limits.maxTurns, await input.journal.read());
  return finish(input, progress, new RolloutFailure("infra_error", error).outcome, error);
}

const worldOf = <State>(environment: Environment<State> | World): World =>
  isWorld(environment as Environment | World) ? (environment as World) : pureWorld(environment as Environment<State>);

async function openEpisode<State>(input: TrajectoryInput<State>, world: World, snapshot: string | null): Promise<GuardedEpisode> {
  const { task, seed, signal, clock, onEnvironmentTrouble } = input;
  if (clock === undefined && world.isInstant !== true) throw new Error(`rollouts of ${world.id} need a clock for their deadlines`);
  const guard = { clock: clock ?? NO_CLOCK, signal, onTrouble: onEnvironmentTrouble ?? (() => {}) };
  return await openGuarded(world, task, { seed, snapshot }, guard);
}

/** Of an environment that never waits. */
const NO_CLOCK: Clock = { now: () => 0, sleep: () => Promise.reject(new Error("an instant environment is not waited for")) };

/** Ends a rollout as data. Never leaves this file. */
class RolloutFailure extends Error {
  readonly outcome: Outcome;
  constructor(type: OutcomeType, cause: CampaignError) {
    super(type, { cause });
    const detail = `${cause.code}: ${cause.message}`;
    this.outcome = { type, reward: null, passed: null, parts: {}, stopReason: "error", isDatabaseMatch: null, detail };
  }
}

/** What the journal holds, and the snapshot to go on from. A world that restarts gives up what was played, and the journal says so. */
async function readJournal<State>(
  { task, journal, limits }: TrajectoryInput<State>,
  world: World,
): Promise<{ progress: Progress; snapshot: string | null }> {
  const entries = await journal.read();
  const progress = progressOf(world, limits.maxTurns, entries);
  const last = entries.at(-1);
  if (world.resume === "restart" && progress.records.length > 0) {
    const entry = { type: "restart" } as const;
    await journal.append(entry);
    absorb(world, limits.maxTurns, progress, entry);
  }
  const isRestored = world.resume === "restore" && last?.type === "turn";
  if (isRestored && last.snapshot === undefined) throw mismatch(task, nameOf(last.turn), "it has no snapshot to restore");
  progress.numResumedTurns = progress.records.length;
  return { progress, snapshot: isRestored ? (last.snapshot ?? null) : null };
}

function progressOf(world: World, maxTurns: number, entries: readonly JournalEntry[]): Progress {
  const progress: Progress = {
    firstUserMessage: null,
    records: [],
    memories: [],
    usage: NO_USAGE,
    troubles: {},
    ending: null,
    numResumedTurns: 0,
    numRestarts: 0,
  };
  for (const entry of entries) absorb(world, maxTurns, progress, entry);
  return progress;
}

/** Brings the new episode to where the journal stops. */
async function resume<State>(play: Play<State>): Promise<void> {
  const { records } = play.progress;
  if (play.world.resume === "re-execute") await replay(play);
  const last = records.at(-1)?.turn;
  if (play.world.resume === "restore" && last !== undefined) await compareState(play, last);
}

async function replay<State>(play: Play<State>): Promise<void> {
  const { firstUserMessage, records } = play.progress;
  const isOther = play.world.protocol.opens === "task" && firstUserMessage !== null && firstUserMessage !== openingOf(play);
  if (isOther) throw mismatch(play.task, "the opening", "the environment opens differently");
  for (const { turn } of records) await replayTurn(play, turn);
}

/** Does the recorded calls again and compares results and state hash with the record. */
async function replayTurn<State>(play: Play<State>, turn: Turn): Promise<void> {
  const calls = turn.toolCalls.filter((call) => call.isExecuted);
  const seen = calls.length === 0 ? [] : await inEnvironment(play, () => play.episode.act(calls));
  const other = calls.find((call, position) => seen[position]?.text !== call.result);
  if (other !== undefined) throw mismatch(play.task, nameOf(turn), `${other.name} answers differently`);
  await compareState(play, turn);
}

async function compareState<State>(play: Play<State>, turn: Turn): Promise<void> {
  const hash = await inEnvironment(play, () => play.episode.fingerprint());
  if (turn.stateHash !== hash) throw mismatch(play.task, nameOf(turn), "the state hash differs");
}

const nameOf = (turn: Turn): string => `turn ${turn.index}`;

function mismatch(task: Task, part: string, what: string): CampaignError {
  return new CampaignError("environment.replay-mismatch", `${part} of task ${task.id} does not replay: ${what}`, {
    next: "the environment's data or code changed since the rollout began; restore it, or fork the campaign",
  });
}

/** Takes a journalled or just played entry into the progress. The one place where progress grows. */
function absorb(world: World, maxTurns: number, progress: Progress, entry: JournalEntry): void {
  if (entry.type === "restart") {
    beginAgain(progress);
    return;
  }
  progress.memories.push(entry.simulatorMemory ?? null);
  progress.troubles = addTroubles(progress.troubles, entry.simulatorTroubles);
  if (entry.type === "opening") {
    progress.firstUserMessage = entry.firstUserMessage;
    progress.usage = addUsage(progress.usage, NO_CALLS, entry.simulatorUsage);
    return;
  }
  progress.records.push({ turn: entry.turn, tokens: entry.tokens });
  progress.usage = addReasoning(addUsage(progress.usage, entry.usage, entry.simulatorUsage), entry.turn);
  const turns = progress.records.map(({ turn }) => turn);
  progress.ending = endingAfter(turns, entry, world.protocol, maxTurns);
}

/** What was given up stays paid for. */
function beginAgain(progress: Progress): void {
  progress.firstUserMessage = null;
  progress.records.length = 0;
  progress.memories.length = 0;
  progress.ending = null;
  progress.numRestarts += 1;
}

async function open<State>(play: Play<State>): Promise<void> {
  const { protocol } = play.world;
  if (protocol.opens === "task") {
    return await commit(play, { type: "opening", firstUserMessage: openingOf(play), simulatorUsage: NO_CALLS });
  }
  const reply = await askUser(play, null);
  if (saysStop(protocol, reply.content)) {
    throw new RolloutFailure("sim_error", new CampaignError("simulator.premature-stop", "the user stopped before saying anything"));
  }
  await commit(play, { type: "opening", firstUserMessage: reply.content, simulatorUsage: reply.usage, ...notesOf(reply) });
}

/** Where the task opens. */
const openingOf = <State>({ episode, task }: Play<State>): string => episode.opening ?? task.instruction;

async function playTurn<State>(play: Play<State>): Promise<void> {
  const { progress } = play;
  const answer = await askPolicy(play);
  if (answer === null) {
    progress.ending = { stopReason: "context-cap", detail: "the conversation no longer fits the model's context" };
    return;
  }
  const entry = await applyAnswer(play, answer).catch((error: unknown) => {
    progress.usage = addUsage(progress.usage, answer.usage, NO_CALLS); // paid for, although no turn comes of it
    throw error;
  });
  await commit(play, entry);
  play.onTurn?.(entry.turn);
}

async function commit<State>({ journal, world, limits, progress }: Play<State>, entry: JournalEntry): Promise<void> {
  await journal.append(entry);
  absorb(world, limits.maxTurns, progress, entry);
}

/** The consequences of an agent's message: its calls executed, or the user's answer; nothing when it was cut or unreadable. */
async function applyAnswer<State>(play: Play<State>, answer: AgentTurn): Promise<TurnEntry> {
  const { progress, world, episode } = play;
  const isLost = answer.finishReason === "length" || answer.parseError !== null;
  const calls = isLost ? [] : executedCalls(world.protocol, answer.toolCalls);
  const seen = calls.length === 0 ? [] : await inEnvironment(play, () => episode.act(calls));
  const hasAnswer = !isLost && calls.length === 0 && world.protocol.opens !== "task";
  const reply = hasAnswer ? await askUser(play, answer) : null;
  const turn: Turn = {
    index: progress.records.length,
    content: answer.content,
    toolCalls: answer.toolCalls.map((toolCall, position) => toolRecord(toolCall, seen[position])),
    userReply: reply?.content ?? null,
    finishReason: answer.finishReason,
    stateHash: await inEnvironment(play, () => episode.fingerprint()),
    ...(answer.reasoning === undefined || answer.reasoning === "" ? {} : { reasoning: answer.reasoning }),
  };
  const { tokens, parseError, usage } = answer;
  const simulatorUsage = reply?.usage ?? NO_CALLS;
  const isLast = seen.some((observation) => observation.isLast === true) ? ({ isLast: true } as const) : {};
  const snapshot = world.resume === "restore" ? { snapshot: await inEnvironment(play, () => episode.snapshot()) } : {};
  const notes = reply === null ? {} : notesOf(reply);
  return { type: "turn", turn, tokens, parseError, usage, simulatorUsage, ...isLast, ...snapshot, ...notes };
}

/** Only what there is: a journal line says nothing about what did not happen. */
function notesOf({ memory, troubles }: SimulatorReply): SimulatorNotes {
  return {
    ...(memory === undefined ? {} : { simulatorMemory: memory }),
    ...(troubles === undefined ? {} : { simulatorTroubles: troubles }),
  };
}

function toolRecord(call: AgentTurn["toolCalls"][number], seen: Observation | undefined): ToolCall {
  const { id, name, argumentsJson } = call;
  return { id, name, argumentsJson, result: seen?.text ?? null, isError: seen?.isError ?? false, isExecuted: seen !== undefined };
}

/** The policy's next message, or null when its context is full. */
async function askPolicy<State>({ world, progress, ...input }: Play<State>): Promise<AgentTurn | null> {
  const conversation: Conversation = {
    systemPrompt: world.systemPrompt,
    tools: world.tools,
    ...greetingOf(world.protocol),
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
async function askUser<State>(play: Play<State>, answer: AgentTurn | null): Promise<SimulatorReply> {
  const { progress, task, signal, userHelp, onUserTrouble: onTrouble } = play;
  const seed = deriveSeed(play.seed, "simulator", answer === null ? "opening" : progress.records.length);
  const view = { ...greetingOf(play.world.protocol), ...viewWith(progress, answer) };
  const countPendingWrites = () => numPendingWrites(play);
  const help = userHelp === "judge" ? { countPendingWrites } : {};
  try {
    const reply = await play.simulator.reply(task, view, { seed, signal, onTrouble, ...help });
    const isFlagged = userHelp !== "judge" && answer !== null && isEarlyStop(play, view, reply, countPendingWrites);
    return isFlagged ? { ...reply, troubles: addTroubles(reply.troubles, { [PREMATURE_STOP]: 1 }) } : reply;
  } catch (error) {
    const canRetryCall = error instanceof CampaignError && error.retryable && error.code.startsWith("provider.");
    if (signal.aborted || canRetryCall || error instanceof RolloutFailure) throw error;
    if (error instanceof SimulatorFailure) {
      progress.usage = addUsage(progress.usage, NO_CALLS, error.usage);
      progress.troubles = addTroubles(progress.troubles, error.troubles);
    }
    throw new RolloutFailure("sim_error", named("simulator.failed", "the simulated user", error));
  }
}

function isEarlyStop<State>(
  { task, world }: Play<State>,
  view: SimulatorView,
  { content }: SimulatorReply,
  countPendingWrites: () => number,
): boolean {
  return saysStop(world.protocol, content) && isPrematureStop({ task, view, reply: content, numPendingWrites: countPendingWrites() });
}

/** A bug of a party, under the party's name: the same conversation meets it again, another one perhaps not. */
function named(code: "simulator.failed" | "environment.failed", who: string, error: unknown): CampaignError {
  if (error instanceof CampaignError) return error;
  return new CampaignError(code, `${who} failed with a bug: ${String(error)}`, {
    cause: error,
    next: "mend it or report it, then resume: finished turns are kept",
  });
}

function numPendingWrites<State>({ episode, progress }: Play<State>): number {
  try {
    return episode.numPendingWrites?.(progress.records.map(({ turn }) => turn)) ?? 0;
  } catch (error) {
    throw environmentFailure(error);
  }
}

/** What the user has heard and said. Reasoning is cut out here, so that no simulator ever sees any. */
function viewWith({ firstUserMessage, records, memories }: Progress, answer: AgentTurn | null): SimulatorView {
  const past = records.flatMap(({ turn }, index) => (turn.toolCalls.length === 0 ? [{ turn, memory: memories[index + 1] ?? null }] : []));
  const exchanges = past.map(({ turn }) => ({ agent: spokenText(turn.content ?? ""), user: turn.userReply }));
  const current = answer === null ? [] : [{ agent: spokenText(answer.content ?? ""), user: null }];
  return {
    firstUserMessage,
    exchanges: [...exchanges, ...current],
    memories: [memories[0] ?? null, ...past.map(({ memory }) => memory)],
  };
}

async function inEnvironment<Result>({ signal }: Pick<TrajectoryInput<unknown>, "signal">, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (signal.aborted) throw error;
    throw environmentFailure(error);
  }
}

const environmentFailure = (error: unknown): RolloutFailure =>
  new RolloutFailure("env_error", named("environment.failed", "the environment", error));

async function grade<State>(play: Play<State>): Promise<Outcome> {
  const { ending, records, firstUserMessage } = play.progress;
  if (ending === null) throw new Error("an unfinished rollout has no outcome");
  const turns = records.map(({ turn }) => turn);
  const { stopReason } = ending;
  return await inEnvironment(play, async () =>
    outcomeOf(ending, await play.episode.grade({ firstUserMessage: firstUserMessage ?? "", turns, stopReason })),
  );
}

function finish<State>(input: TrajectoryInput<State>, progress: Progress, outcome: Outcome, error: unknown): TrajectoryResult {
  const { task, trial, policy, environment, seed } = input;
  const { protocol } = worldOf(environment);
  const simulator = protocol.opens === "task" ? NOBODY : input.simulator;
  const trajectory: Trajectory = {
    schemaVersion: 2,
    taskId: task.id,
    trial,
    environment: environment.id,
    policy: { name: policy.ref.name, hash: policy.ref.hash, format: policy.format },
    simulator: { id: simulator.id, hash: simulator.hash },
    seed,
    ...greetingOf(protocol),
    firstUserMessage: progress.firstUserMessage ?? "",
    turns: progress.records.map(({ turn }) => turn),
    rows: buildTokenRows(progress.records.map(({ tokens }) => tokens)),
    outcome,
    usage: progress.usage,
    ...(progress.numRestarts === 0 ? {} : { numRestarts: progress.numRestarts }),
    ...(Object.keys(progress.troubles).length === 0 ? {} : { simulatorTroubles: progress.troubles }),
  };
  return { trajectory, numResumedTurns: progress.numResumedTurns, error };
}

/** Where the task opens and nobody answers. */
const NOBODY = { id: "none", hash: "none" };
