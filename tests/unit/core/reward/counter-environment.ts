// A tiny environment for tests of labelling: named counters. `add` and `put` write, `get` reads, `leave` ends the conversation.

import type { Task } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import type { Environment, EnvironmentCall } from "#core/environment/environment.ts";
import { NO_USAGE } from "#core/rollout/usage.ts";

type Counters = Readonly<Record<string, number>>;

const tool = (name: string, properties: Record<string, unknown>) => ({
  type: "function" as const,
  function: { name, description: name, parameters: { type: "object", properties } },
});

export const COUNTERS: Environment<Counters> = {
  id: "counters",
  tools: [
    tool("add", { name: { type: "string" }, amount: { type: "number" }, note: { type: "string" } }),
    tool("put", { name: { type: "string" }, value: { type: "number" }, note: { type: "string" } }),
    tool("get", { name: { type: "string" }, detail: { type: "number" } }),
    tool("leave", { summary: { type: "string" } }),
  ],
  systemPrompt: "Count.",
  dataSha256: "0".repeat(64),
  reset: () => ({}),
  step: (state, call) => step(state, call),
  stateHash: (state) => JSON.stringify(Object.entries(state).sort()),
  isTerminal: (name) => name === "leave",
  isWrite: (name) => name !== "get",
  grade: () => ({ reward: 0, isDatabaseMatch: false, missingOutputs: [] }),
};

function step(state: Counters, { name, argumentsJson }: EnvironmentCall) {
  const args = JSON.parse(argumentsJson) as { name?: string; amount?: number; value?: number };
  const key = args.name ?? "";
  const current = state[key] ?? 0;
  const next = name === "add" ? current + Number(args.amount) : name === "put" ? Number(args.value) : current;
  const isError = Number.isNaN(next);
  return { state: isError ? state : { ...state, [key]: next }, observation: isError ? "Error: not a number" : String(next), isError };
}

export type CallText = readonly [name: string, args: Record<string, unknown> | string, kind?: "error" | "ignored"];

export function task(...golden: readonly CallText[]): Task {
  return {
    schemaVersion: 1,
    id: "task",
    environment: "counters",
    userId: "user",
    instruction: "",
    goldenActions: golden.map(([name, args]) => ({ name, argumentsJson: typeof args === "string" ? args : JSON.stringify(args) })),
    outputs: [],
    agenda: null,
    kind: "test",
    difficulty: { numWrites: 0, numReads: 0 },
  };
}

/** A trajectory from the calls of its turns; a turn without calls is a message. */
export function trajectory(
  turns: readonly (readonly CallText[])[],
  stopReason: Trajectory["outcome"]["stopReason"] = "user-stop",
): Trajectory {
  return {
    schemaVersion: 2,
    taskId: "task",
    trial: 0,
    environment: "counters",
    policy: { name: "p", hash: "h", format: "native" },
    simulator: { id: "s", hash: "h" },
    seed: "seed",
    firstUserMessage: "hello",
    turns: turns.map((calls, index) => ({
      index,
      content: calls.length === 0 ? "text" : null,
      toolCalls: calls.map(([name, args, kind], position) => ({
        id: `${index}-${position}`,
        name,
        argumentsJson: typeof args === "string" ? args : JSON.stringify(args),
        result: kind === "ignored" ? null : "result",
        isError: kind === "error",
        isExecuted: kind !== "ignored",
      })),
      userReply: null,
      finishReason: calls.length === 0 ? ("stop" as const) : ("tool_calls" as const),
      stateHash: null,
    })),
    rows: [],
    outcome: { type: "ok", reward: 1, passed: true, parts: {}, stopReason, isDatabaseMatch: null, detail: null },
    usage: NO_USAGE,
  };
}
