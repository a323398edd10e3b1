import { describe, expect, it } from "vitest";
import type { GoldenTask } from "#contracts/task.ts";
import type { AgentTurn, Policy } from "#core/ports.ts";
import { regrade } from "#core/rollout/regrade.ts";
import { runTrajectory } from "#core/rollout/run-trajectory.ts";
import { scriptedSimulator } from "#simulators/scripted.ts";
import { present } from "../../fixtures/present.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { openPure } from "../../support/open-pure.ts";
import { memoryJournal } from "../../unit/core/rollout/parties.ts";
import { because, MISSING, TAU_BENCH } from "./tau-bench-data.ts";

/** Plays the golden actions one by one, then says what must be said until the user hangs up. */
function goldenPolicy(task: GoldenTask): Policy {
  return {
    ref: { name: "golden", hash: "g", manifest: null },
    format: "test/1",
    async respond({ turns }): Promise<AgentTurn> {
      const action = task.goldenActions[turns.length];
      const rest = { tokens: null, parseError: null, usage: { promptTokens: 0, completionTokens: 0, calls: 1 } };
      if (action === undefined)
        return { content: `That is done: ${task.outputs.join(" ")}. Anything else?`, toolCalls: [], finishReason: "stop", ...rest };
      return { content: null, toolCalls: [{ id: `c${turns.length}`, ...action }], finishReason: "tool_calls", ...rest };
    },
  };
}

describe.skipIf(MISSING !== null)(`a rollout with a scripted user${because}`, () => {
  it.each([
    [{ type: "tau-bench-airline", selectionTasks: 10 }],
    [{ type: "tau-bench-retail" }],
    [{ type: "tau2-airline", selectionTasks: 5 }],
  ])("of an agent that knows the golden actions passes every held-out task of %o, and is graded alike again", async (config) => {
    const { environment, splits } = await openPure(config, { home: temporaryFolder(), tauBench: TAU_BENCH });
    for (const task of [...splits.selection, ...splits.test]) {
      const { trajectory } = await runTrajectory({
        task,
        trial: 0,
        environment,
        policy: goldenPolicy(task),
        simulator: scriptedSimulator,
        seed: task.id,
        journal: memoryJournal(),
        limits: { maxTurns: 40 },
        signal: new AbortController().signal,
      });
      const { outcome } = present(trajectory);
      expect({ task: task.id, ...outcome }).toMatchObject({ type: "ok", reward: 1 });
      expect(regrade(environment, task, present(trajectory))).toMatchObject({ difference: null, numCalls: task.goldenActions.length });
    }
  });
});
