// Rollouts that were made elsewhere, in this project's words.
import type { Task } from "#contracts/task.ts";
import type { StopReason, Trajectory } from "#contracts/trajectory.ts";
import type { ImportedConversation } from "./import-messages.ts";

export interface ImportedRollout {
  readonly task: Task;
  readonly trajectory: Trajectory;
}

export interface ImportedRollouts {
  readonly rollouts: readonly ImportedRollout[];
  /** Entries of the source without an outcome (harness or simulator errors): left out, never taken for failures. */
  readonly numExcluded: number;
}

export interface ImportedParts {
  readonly taskId: string;
  readonly userId: string;
  readonly trial: number;
  readonly environment: string;
  readonly policyName: string;
  readonly instruction: string;
  readonly goldenActions: Task["goldenActions"];
  readonly outputs: readonly string[];
  readonly conversation: ImportedConversation;
  readonly stopReason: StopReason;
  readonly reward: 0 | 1;
  readonly isWrite: (toolName: string) => boolean;
}

/** A rollout from what the sources have in common; what they lack is said to be unknown. */
export function createImportedRollout(parts: ImportedParts): ImportedRollout {
  const numWrites = parts.goldenActions.filter((action) => parts.isWrite(action.name)).length;
  return {
    task: {
      schemaVersion: 1,
      id: parts.taskId,
      environment: parts.environment,
      userId: parts.userId,
      instruction: parts.instruction,
      goldenActions: parts.goldenActions,
      outputs: [...parts.outputs],
      agenda: null,
      kind: "imported",
      difficulty: { numWrites, numReads: parts.goldenActions.length - numWrites },
    },
    trajectory: {
      schemaVersion: 1,
      taskId: parts.taskId,
      trial: parts.trial,
      environment: parts.environment,
      policy: { name: parts.policyName, hash: "unknown", format: "native" },
      simulator: { id: "unknown", hash: "unknown" },
      seed: "unknown",
      firstUserMessage: parts.conversation.firstUserMessage,
      turns: parts.conversation.turns,
      rows: [],
      outcome: {
        type: parts.reward === 1 ? "ok" : "task_failed",
        reward: parts.reward,
        stopReason: parts.stopReason,
        isDatabaseMatch: null,
        detail: null,
      },
      usage: {
        promptTokens: 0,
        completionTokens: 0,
        simulatorPromptTokens: 0,
        simulatorCompletionTokens: 0,
        modelCalls: 0,
        simulatorCalls: 0,
      },
    },
  };
}

/** A benchmark's reward as an outcome: passed only when it is 1, as the benchmarks' own pass^k counts it. */
export function outcomeOfReward(reward: number): 0 | 1 {
  return Math.abs(reward - 1) <= 1e-6 ? 1 : 0;
}
