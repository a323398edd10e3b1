// The compact format and the scripted user on tau-bench's own airline: real observations, real agents' calls, tasks without an agenda.
import { describe, expect, test } from "vitest";
import { openTaskSet } from "#adapters/task-data/open-task-set.ts";
import type { Task } from "#contracts/task.ts";
import type { Conversation } from "#core/ports.ts";
import { compactFormat, renderPieces } from "#environments/synthetic-airline/compact-format/compact.ts";
import { scriptedReply } from "#simulators/scripted.ts";
import { hasPublicRollouts, importPublicRollouts, TAU_BENCH, WHY_SKIPPED } from "../../support/public-rollouts.ts";

describe.skipIf(!hasPublicRollouts)(`tau-bench's airline${WHY_SKIPPED}`, () => {
  test("calls of recorded agents survive the compact form, but for dates inside free text", () => {
    let numCalls = 0;
    let numEqual = 0;
    for (const { trajectory } of importPublicRollouts()) {
      const conversation: Conversation = {
        systemPrompt: "",
        tools: [],
        firstUserMessage: trajectory.firstUserMessage,
        turns: trajectory.turns.map((turn) => ({ turn, tokens: null })),
      };
      const trained = renderPieces(conversation).filter((piece) => piece.trained);
      for (const [index, { toolCalls }] of trajectory.turns.entries()) {
        const [call] = toolCalls;
        if (call === undefined) continue;
        const before = { ...conversation, turns: conversation.turns.slice(0, index) };
        const parsed = compactFormat.parseTurn((trained[index]?.text ?? "").replace(/<e>$/, ""), before).toolCalls[0];
        numCalls += 1;
        numEqual += parsed?.name === call.name && parsed.argumentsJson === JSON.stringify(JSON.parse(call.argumentsJson)) ? 1 : 0;
      }
    }
    expect(numCalls).toBeGreaterThan(1000);
    expect(numEqual / numCalls).toBeGreaterThan(0.98);
  });

  test("every task has a user who says what they want, gives the user id, and hangs up in the end", async () => {
    const { splits } = await openTaskSet({ type: "tau-bench-airline" }, { home: "/nowhere", tauBench: TAU_BENCH });
    const tasks = [...splits.train, ...splits.test];
    expect(tasks).toHaveLength(50);
    for (const task of tasks) {
      const said = conversationWith(task, [
        "may i have your user id?",
        "which reservation is it?",
        ...Array.from({ length: 20 }, () => "done. anything else?"),
      ]);
      expect(said[0]?.length, task.id).toBeGreaterThan(20);
      expect(said[1], task.id).toContain(task.userId);
      expect(said.at(-1), task.id).toContain("###STOP###");
      for (const text of said) expect(text, task.id).not.toMatch(/[{}]|payment_id|reservation_id/);
    }
  });
});

/** What the user says to these messages, up to the stop. */
function conversationWith(task: Task, messages: readonly string[]): string[] {
  const firstUserMessage = scriptedReply(task, { firstUserMessage: null, exchanges: [] }, "s");
  const exchanges: { agent: string; user: string | null }[] = [];
  for (const agent of messages) {
    if (exchanges.at(-1)?.user?.includes("###STOP###")) break;
    const user = scriptedReply(task, { firstUserMessage, exchanges: [...exchanges, { agent, user: null }] }, "s");
    exchanges.push({ agent, user });
  }
  return [firstUserMessage, ...exchanges.map(({ user }) => user ?? "")];
}
