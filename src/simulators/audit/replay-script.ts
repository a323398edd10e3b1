// One open-loop replay: the agent's actions are fixed, the user is alive. Nothing of what the user says changes what the agent does; the
// one thing a user can change is when the conversation ends. So the outcomes of replays differ only through early stops, and their
// spread is a lower bound of what the user adds to the spread of outcomes.
import type { GoldenTask } from "#contracts/task.ts";
import type { Turn } from "#contracts/trajectory.ts";
import type { Environment } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import type { ModelUsage, SimulatorReply, UserSimulator } from "#core/ports.ts";
import { deriveSeed } from "#core/rng.ts";
import { STOP_TOKEN } from "#core/rollout/ending.ts";
import { pendingWrites } from "#core/rollout/premature-stop.ts";
import { addTroubles, SimulatorFailure, type SimulatorTroubles } from "#core/rollout/simulator-failure.ts";
import { NO_CALLS } from "#core/rollout/usage.ts";
import type { AgentAction, AgentScript } from "./agent-script.ts";

export interface Replay {
  /** Null when the user could not be had: no outcome, never a failure. */
  readonly reward: 0 | 1 | null;
  /** early-stop: the user stopped before the last action; last-stop: at the last one; open: never; terminal: a tool ended the conversation. */
  readonly end: "early-stop" | "last-stop" | "terminal" | "open" | "error";
  readonly firstUserMessage: string;
  readonly turns: readonly Turn[];
  readonly usage: ModelUsage;
  readonly troubles: SimulatorTroubles;
  /** Why there is no outcome; null where there is one. */
  readonly failure: CampaignError | null;
}

export interface ReplayInput<State> {
  readonly script: AgentScript;
  readonly environment: Environment<State>;
  readonly simulator: UserSimulator;
  readonly seed: string;
  readonly signal: AbortSignal;
  /** Called before the user is waited for or asked again. */
  readonly onTrouble?: ((trouble: Error) => void) | undefined;
}

interface Scene<State> {
  state: State;
  firstUserMessage: string | null;
  readonly turns: Turn[];
  readonly exchanges: { agent: string; user: string | null }[];
  readonly memories: (string | null)[];
  usage: ModelUsage;
  troubles: SimulatorTroubles;
}

/** Graded as it stands when the script is over or the user stops. Throws what no other replay could do better: provider.* and bugs. */
export async function replayScript<State>(input: ReplayInput<State>): Promise<Replay> {
  const scene: Scene<State> = {
    state: input.environment.reset(),
    firstUserMessage: null,
    turns: [],
    exchanges: [],
    memories: [],
    usage: NO_CALLS,
    troubles: {},
  };
  try {
    const end = await play(input, scene);
    const replies = scene.exchanges.map(({ agent }) => agent);
    return result(scene, input.environment.grade(scene.state, input.script.task, replies).reward, end);
  } catch (error) {
    if (!(error instanceof CampaignError) || !error.code.startsWith("simulator.")) throw error;
    if (error instanceof SimulatorFailure) account(scene, error.usage, error.troubles);
    return { ...result(scene, null, "error"), failure: error };
  }
}

async function play<State>(input: ReplayInput<State>, scene: Scene<State>): Promise<Replay["end"]> {
  const { actions, task } = input.script;
  scene.firstUserMessage = (await askUser(input, scene)).content;
  if (scene.firstUserMessage.includes(STOP_TOKEN)) return "early-stop";
  for (const [index, action] of actions.entries()) {
    const reply = await act(input, scene, action, task);
    if (action.type === "call" && input.environment.isTerminal(action.call.name)) return "terminal";
    if (reply?.includes(STOP_TOKEN)) return index < actions.length - 1 ? "early-stop" : "last-stop";
  }
  return "open";
}

/** One action; the user's reply to a message. */
async function act<State>(input: ReplayInput<State>, scene: Scene<State>, action: AgentAction, task: GoldenTask): Promise<string | null> {
  if (action.type === "call") {
    const { state, observation, isError } = input.environment.step(scene.state, action.call);
    scene.state = state;
    const call = { id: `c${scene.turns.length}`, ...action.call, result: observation, isError, isExecuted: true };
    scene.turns.push(turnOf(scene, { content: null, toolCalls: [call], userReply: null }));
    return null;
  }
  scene.exchanges.push({ agent: action.content, user: null });
  const { content } = await askUser(input, scene, () => {
    const isDone = input.environment.grade(scene.state, task, []).isDatabaseMatch;
    return isDone ? 0 : pendingWrites(task, scene.turns, input.environment).length;
  });
  (scene.exchanges.at(-1) as { user: string | null }).user = content;
  scene.turns.push(turnOf(scene, { content: action.content, toolCalls: [], userReply: content }));
  return content;
}

async function askUser<State>(input: ReplayInput<State>, scene: Scene<State>, countPendingWrites = () => 0): Promise<SimulatorReply> {
  const { firstUserMessage, exchanges, memories } = scene;
  const seed = deriveSeed(input.seed, "simulator", exchanges.length);
  const reply = await input.simulator.reply(
    input.script.task,
    { firstUserMessage, exchanges, memories },
    { seed, signal: input.signal, countPendingWrites, onTrouble: input.onTrouble },
  );
  scene.memories.push(reply.memory ?? null);
  account(scene, reply.usage, reply.troubles);
  return reply;
}

function account<State>(scene: Scene<State>, usage: ModelUsage, troubles: SimulatorTroubles = {}): void {
  scene.usage = {
    promptTokens: scene.usage.promptTokens + usage.promptTokens,
    completionTokens: scene.usage.completionTokens + usage.completionTokens,
    calls: scene.usage.calls + usage.calls,
  };
  scene.troubles = addTroubles(scene.troubles, troubles);
}

function turnOf<State>({ turns }: Scene<State>, parts: Pick<Turn, "content" | "toolCalls" | "userReply">): Turn {
  return { index: turns.length, ...parts, finishReason: parts.toolCalls.length > 0 ? "tool_calls" : "stop", stateHash: null };
}

function result<State>({ firstUserMessage, turns, usage, troubles }: Scene<State>, reward: Replay["reward"], end: Replay["end"]): Replay {
  return { reward, end, firstUserMessage: firstUserMessage ?? "", turns, usage, troubles, failure: null };
}
