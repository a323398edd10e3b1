// The laws of episodes, tried on a world with calls that are made up: what an author sees before a model plays.
import type { Task } from "#contracts/task.ts";
import type { Turn } from "#contracts/trajectory.ts";
import { canonicalJson } from "../canonical-json.ts";
import { CampaignError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import { deriveSeed } from "../rng.ts";
import { idleShare } from "./do-nothing-floor.ts";
import type { EnvironmentCall } from "./environment.ts";
import type { Grade, Observation, World } from "./episode.ts";
import { type GuardedEpisode, openGuarded } from "./guarded-episode.ts";
import { madeUpMessages } from "./made-up-messages.ts";

const EPISODE_LAWS = ["closes", "answers", "grades", "goes-on", "shares-nothing"] as const;
export type EpisodeLaw = (typeof EPISODE_LAWS)[number];

/** What each of them says. */
export const LAW_WORDS: Readonly<Record<EpisodeLaw, string>> = {
  closes: "an episode opens and closes",
  answers: "every call is answered, malformed arguments and unknown tools, too",
  grades: "a grade is a reward from 0 to 1, for an agent that does nothing, too",
  "goes-on": "an interrupted episode goes on as the undisturbed one",
  "shares-nothing": "two episodes of a task at once share nothing",
};

const OF_REPEATABLE: ReadonlySet<EpisodeLaw> = new Set(["goes-on", "shares-nothing"]);

export interface BrokenLaw {
  readonly law: EpisodeLaw;
  readonly taskId: string;
  readonly what: string;
}

export interface WorldCheck {
  readonly numTasks: number;
  readonly numCalls: number;
  /** Laws that were tried: a world that restarts need not do the same again. */
  readonly laws: readonly EpisodeLaw[];
  readonly broken: readonly BrokenLaw[];
  /** Share of these tasks, 0 to 1, that are passed by doing nothing; null when one could not be graded. */
  readonly doNothingFloor: number | null;
}

export interface CheckOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly seed: number;
}

/** Plays every task with calls drawn from the tools' schemas (and its golden actions, where there are some). Throws the signal's reason alone. */
export async function checkWorld(world: World, tasks: readonly Task[], options: CheckOptions): Promise<WorldCheck> {
  const broken: BrokenLaw[] = [];
  const trials = tasks.map((task) => ({
    ...options,
    world,
    task,
    messages: madeUpMessages(world, task, options.seed),
    broken: teller(broken, task),
  }));
  const idle: (boolean | null)[] = [];
  for (const trial of trials) idle.push(await checkTask(trial));
  return {
    numTasks: tasks.length,
    numCalls: trials.reduce((sum, { messages }) => sum + messages.flat().length, 0),
    laws: EPISODE_LAWS.filter((law) => world.resume !== "restart" || !OF_REPEATABLE.has(law)),
    broken,
    doNothingFloor: idleShare(idle),
  };
}

/** Whether the task is passed by doing nothing; null when it could not be graded. */
async function checkTask(trial: Trial): Promise<boolean | null> {
  const nothing = await attempt(trial, "grades", () => withEpisode(trial, null, (episode) => gradeAfter(trial, episode, [])));
  const live = await attempt(trial, "answers", () => playWhole(trial));
  if (live !== null && trial.world.resume !== "restart") {
    await attempt(trial, "goes-on", () => compareResumed(trial, live));
    await attempt(trial, "shares-nothing", () => compareInterleaved(trial, live));
  }
  return nothing?.passed ?? null;
}

/** Says the same thing of a task once. */
function teller(broken: BrokenLaw[], { id: taskId }: Task): Trial["broken"] {
  return (law, what) => {
    const isTold = broken.some((one) => one.law === law && one.taskId === taskId && one.what === what);
    if (!isTold) broken.push({ law, taskId, what });
  };
}

interface Trial extends CheckOptions {
  readonly world: World;
  readonly task: Task;
  /** The executed calls of every message. */
  readonly messages: readonly (readonly EnvironmentCall[])[];
  readonly broken: (law: EpisodeLaw, what: string) => void;
}

/** What an episode said: of every message the observations, the fingerprint after it, and what a later one would be opened from. */
interface Played {
  readonly steps: readonly Step[];
  readonly grade: Grade;
}
interface Step {
  readonly seen: readonly Observation[];
  readonly fingerprint: string | null;
  readonly snapshot: string | null;
}

/** Null, and a broken law, when it throws. */
async function attempt<Result>({ broken, signal }: Trial, law: EpisodeLaw, action: () => Promise<Result>): Promise<Result | null> {
  try {
    return await action();
  } catch (error) {
    signal.throwIfAborted();
    broken(error instanceof OtherLaw ? error.law : law, reasonOf(error));
    return null;
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof OtherLaw ? reasonOf(error.cause) : error instanceof CampaignError ? error.message : String(error);

/** Whatever goes wrong in here is of that law. */
class OtherLaw extends Error {
  readonly law: EpisodeLaw;
  constructor(law: EpisodeLaw, cause: unknown) {
    super(law, { cause });
    this.law = law;
  }
}

const under = async <Result>(law: EpisodeLaw, action: Promise<Result>): Promise<Result> =>
  await action.catch((error: unknown) => {
    throw new OtherLaw(law, error);
  });

/** Opens, lets it be used, closes. */
async function withEpisode<Result>(
  trial: Trial,
  snapshot: string | null,
  use: (episode: GuardedEpisode) => Promise<Result>,
): Promise<Result> {
  const { world, task, clock, signal, seed, broken } = trial;
  const onTrouble = (trouble: Error) => broken("closes", `close throws: ${reasonOf(trouble)}`);
  const options = { seed: deriveSeed(seed, task.id), snapshot };
  const episode = await under("closes", openGuarded(world, task, options, { clock, signal, onTrouble }));
  try {
    return await use(episode);
  } finally {
    await episode.close();
  }
}

async function step({ world }: Trial, episode: GuardedEpisode, calls: readonly EnvironmentCall[]): Promise<Step> {
  const seen = await episode.act(calls);
  return { seen, fingerprint: await episode.fingerprint(), snapshot: world.resume === "restore" ? await episode.snapshot() : null };
}

async function playWhole(trial: Trial): Promise<Played> {
  return await withEpisode(trial, null, async (episode) => {
    const steps: Step[] = [];
    for (const calls of trial.messages) steps.push(await step(trial, episode, calls));
    return { steps, grade: await gradeAfter(trial, episode, steps) };
  });
}

async function gradeAfter({ task, messages }: Trial, episode: GuardedEpisode, steps: readonly Step[]): Promise<Grade> {
  const turns = [...steps.map(({ seen }, index) => turnOf(index, messages[index] ?? [], seen)), turnOf(steps.length, [], [])];
  const grade = await under(
    "grades",
    episode.grade({ firstUserMessage: task.instruction, turns: steps.length === 0 ? [] : turns, stopReason: "agent-stop" }),
  );
  if (!(grade.reward >= 0 && grade.reward <= 1)) throw new OtherLaw("grades", `the reward is ${grade.reward}`);
  return grade;
}

function turnOf(index: number, calls: readonly EnvironmentCall[], seen: readonly Observation[]): Turn {
  const toolCalls = calls.map(({ name, argumentsJson }, position) => ({
    id: `call-${index}-${position}`,
    ...{ name, argumentsJson, isExecuted: true },
    result: seen[position]?.text ?? null,
    isError: seen[position]?.isError ?? false,
  }));
  const content = calls.length === 0 ? "I am done." : null;
  return { index, content, toolCalls, userReply: null, finishReason: calls.length === 0 ? "stop" : "tool_calls", stateHash: null };
}

/** Plays again, or goes on from the snapshot of every message, whichever the world resumes by. */
async function compareResumed(trial: Trial, live: Played): Promise<void> {
  const { world, messages } = trial;
  if (world.resume === "re-execute") compare(live, await playWhole(trial), "played again");
  if (world.resume !== "restore") return;
  for (const [index, { snapshot, fingerprint }] of live.steps.entries()) {
    await withEpisode(trial, snapshot, async (episode) => {
      same(await episode.fingerprint(), fingerprint, `opened from the snapshot of message ${index}, its fingerprint`);
      const next = messages[index + 1];
      if (next !== undefined)
        same(
          (await step(trial, episode, next)).seen,
          live.steps[index + 1]?.seen,
          `gone on from the snapshot of message ${index}, its answers`,
        );
    });
  }
}

/** Two at once, message by message in turns: what one does must not be seen by the other. */
async function compareInterleaved(trial: Trial, live: Played): Promise<void> {
  await withEpisode(trial, null, async (one) => {
    await withEpisode(trial, null, async (other) => {
      for (const [index, calls] of trial.messages.entries()) {
        for (const episode of [one, other]) {
          const { seen, fingerprint } = await step(trial, episode, calls);
          same(seen, live.steps[index]?.seen, `beside another one, the answers to message ${index}`);
          same(fingerprint, live.steps[index]?.fingerprint, `beside another one, the fingerprint after message ${index}`);
        }
      }
    });
  });
}

function compare(live: Played, again: Played, how: string): void {
  for (const [index, { seen, fingerprint }] of live.steps.entries()) {
    same(again.steps[index]?.seen, seen, `${how}, the answers to message ${index}`);
    same(again.steps[index]?.fingerprint, fingerprint, `${how}, the fingerprint after message ${index}`);
  }
  same(again.grade.reward, live.grade.reward, `${how}, the reward`);
}

function same(found: unknown, wanted: unknown, what: string): void {
  const [one, other] = [found ?? null, wanted ?? null].map((value) => canonicalJson(value));
  if (one !== other) throw new CampaignError("environment.replay-mismatch", `${what} is ${one}, before it was ${other}`);
}
