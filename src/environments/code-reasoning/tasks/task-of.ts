// A question as a task of a campaign. What it is graded by stays with the question.
import type { CodeTask } from "#contracts/code-task.ts";
import type { Task } from "#contracts/task.ts";
import { CODE_REASONING } from "../world/code-world.ts";

/** The question opens the conversation. There is no user, and no golden action. */
export function taskOf({ id, family, question }: CodeTask): Task {
  return {
    schemaVersion: 1,
    id,
    environment: CODE_REASONING,
    userId: null,
    instruction: question,
    goldenActions: null,
    outputs: null,
    agenda: null,
    kind: family ?? "question",
    difficulty: null,
  };
}
