// Small parties for rollout tests: an environment that counts, a policy that follows a script, a user who counts along.
import type { GoldenTask } from "#contracts/task.ts";
import type { TurnTokens } from "#contracts/trajectory.ts";
import type { Environment } from "#core/environment/environment.ts";
import type { AgentTurn, Clock, JournalEntry, Policy, TurnJournal, UserSimulator } from "#core/ports.ts";
import { deriveSeed } from "#core/rng.ts";

export const TASK: GoldenTask = {
  schemaVersion: 1,
  id: "count-to-two",
  environment: "counter",
  userId: "u1",
  instruction: "make it 2",
  goldenActions: [],
  outputs: ["done"],
  agenda: null,
  kind: "count",
  difficulty: { numWrites: 2, numReads: 0 },
};

/** add {"by": n} adds; give_up ends; anything else is an error. Golden state: 2. */
export const counter: Environment<number> = {
  id: "counter",
  tools: ["add", "give_up"].map((name) => ({ type: "function", function: { name, description: "", parameters: {} } })),
  systemPrompt: "Count.",
  dataSha256: "0".repeat(64),
  reset: () => 0,
  step(state, call) {
    if (call.name !== "add") return { state, observation: `Unknown action ${call.name}`, isError: true };
    const next = state + (JSON.parse(call.argumentsJson) as { by: number }).by;
    return { state: next, observation: String(next), isError: false };
  },
  stateHash: (state) => deriveSeed("state", state),
  isTerminal: (name) => name === "give_up",
  isWrite: (name) => name === "add",
  grade(state, task, replies) {
    const missingOutputs = task.outputs.filter((output) => !replies.some((reply) => reply.includes(output)));
    const isDatabaseMatch = state === 2;
    return { reward: isDatabaseMatch && missingOutputs.length === 0 ? 1 : 0, isDatabaseMatch, missingOutputs };
  },
};

export const say = (content: string): Partial<AgentTurn> => ({ content });
export const add = (...bys: number[]): Partial<AgentTurn> => ({
  content: null,
  toolCalls: bys.map((by, position) => ({ id: `c${position}`, name: "add", argumentsJson: `{"by": ${by}}` })),
  finishReason: "tool_calls",
});

/** Says turn n of the script at turn n, with tokens that extend the history and depend on the seed. */
export function scriptedPolicy(script: readonly Partial<AgentTurn>[]): Policy & { calls: number } {
  const policy = {
    ref: { name: "p-1", hash: "p", manifest: null },
    format: "test/1",
    calls: 0,
    async respond(conversation: Parameters<Policy["respond"]>[0], { seed }: { readonly seed: number }): Promise<AgentTurn> {
      policy.calls += 1;
      const turn = script[conversation.turns.length];
      if (turn === undefined) throw new Error("the script is over");
      return {
        content: null,
        toolCalls: [],
        tokens: nextTokens(
          conversation.turns.map(({ tokens }) => tokens),
          seed,
        ),
        finishReason: "stop",
        parseError: null,
        usage: { promptTokens: 3, completionTokens: 2, calls: 1 },
        ...turn,
      };
    },
  };
  return policy;
}

function nextTokens(history: readonly (TurnTokens | null)[], seed: number): TurnTokens {
  const last = history.at(-1);
  const promptTokenIds = last ? [...last.promptTokenIds, ...last.tokenIds, 7] : [1, 2];
  return { promptTokenIds, tokenIds: [seed % 1000, 9], logprobs: [-((seed % 97) / 10), -0.5] };
}

/** Opens with the task, answers with the number of words heard, stops when the agent says "done". */
export const user: UserSimulator = {
  id: "user/1",
  hash: "u",
  async reply(task, view, { seed }) {
    const last = view.exchanges.at(-1);
    const content =
      last === undefined
        ? task.instruction
        : last.agent.includes("done")
          ? "###STOP###"
          : `heard ${view.exchanges.length} ${seed.slice(0, 4)}`;
    return { content, usage: { promptTokens: 1, completionTokens: 1, calls: 1 } };
  },
};

/** A journal in memory that a test may kill: `diesAfter` entries it throws. */
export function memoryJournal(
  entries: JournalEntry[] = [],
  diesAfter = Number.POSITIVE_INFINITY,
): TurnJournal & { entries: JournalEntry[] } {
  return {
    entries,
    read: async () => structuredClone(entries),
    async append(entry) {
      if (entries.length >= diesAfter) throw new Error("killed");
      entries.push(structuredClone(entry));
    },
  };
}

/** Time that passes only by sleeping. */
export function testClock(): Clock & { slept: number[] } {
  let now = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    async sleep(milliseconds, signal) {
      signal.throwIfAborted();
      slept.push(milliseconds);
      now += milliseconds;
    },
  };
}
