// The one interface of all environments: pure functions of a persistent state. Randomness, clocks and models stay outside.
import type { GoldenTask } from "#contracts/task.ts";
import type { ToolSchema } from "../ports.ts";
import type { Splits } from "./splits.ts";

export interface EnvironmentCall {
  readonly name: string;
  /** JSON text, since integers and floats differ for the benchmark. Malformed text is answered like the benchmark answers it, never thrown. */
  readonly argumentsJson: string;
}

export interface StepResult<State> {
  readonly state: State;
  readonly observation: string;
  readonly isError: boolean;
}

/** All or nothing: the database, and what was said. */
export interface StateGrade {
  readonly reward: 0 | 1;
  readonly isDatabaseMatch: boolean;
  /** Required output strings that no reply contains. */
  readonly missingOutputs: readonly string[];
}

/** `State` is opaque and immutable: a step returns a new one that shares structure with the old, which stays valid. */
export interface Environment<State = unknown> {
  readonly id: string;
  /** In the order the model sees them. */
  readonly tools: readonly ToolSchema[];
  /** The agent's policy document: its system prompt. */
  readonly systemPrompt: string;
  /** sha256 over the database and tasks it was made from. */
  readonly dataSha256: string;
  reset(): State;
  step(state: State, call: EnvironmentCall): StepResult<State>;
  /** Language-neutral hash of the state: equal states, equal hash. Cheap: incremental over changed records. */
  stateHash(state: State): string;
  /** True for a tool that ends the conversation (transfer_to_human_agents). */
  isTerminal(toolName: string): boolean;
  /** True for a tool that may change the database (transfers included). */
  isWrite(toolName: string): boolean;
  grade(state: State, task: GoldenTask, replies: readonly string[]): StateGrade;
}

/** A pure environment with its tasks. */
export interface PureTaskSet<State = unknown> {
  readonly environment: Environment<State>;
  readonly splits: Splits<GoldenTask>;
}
