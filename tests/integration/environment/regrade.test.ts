import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { exportTauBench, tauBenchEntry } from "#adapters/rollout-files/export-tau-bench.ts";
import { exportTau2 } from "#adapters/rollout-files/export-tau2.ts";
import type { ImportedRollout } from "#adapters/rollout-files/imported-rollouts.ts";
import { importRolloutText } from "#adapters/rollout-files/read-rollouts.ts";
import { dataFolder } from "#adapters/task-data/data-folder.ts";
import type { GoldenTask } from "#contracts/task.ts";
import { isTold } from "#core/environment/told-task.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";
import { regrade } from "#core/rollout/regrade.ts";
import { readTauBenchAirline } from "#environments/tau/benchmarks/tau-bench.ts";
import { dumps } from "#environments/tau/python/format.ts";
import { dumpsIndented } from "#environments/tau/python/indented.ts";
import { parseJson } from "#environments/tau/python/parse-json.ts";
import { hasPublicRollouts, PUBLIC_ROLLOUTS, WHY_SKIPPED } from "../../support/public-rollouts.ts";
import { TAU_BENCH } from "./tau-bench-data.ts";

function wholeOf({ task }: Pick<ImportedRollout, "task">): GoldenTask {
  if (!isTold(task)) throw new Error(`task ${task.id} is not told`);
  return task;
}

const CONTEXT = { systemPrompt: null, goldenHash: () => null };

describe.skipIf(!hasPublicRollouts)(`the 200 public gpt-4o rollouts${WHY_SKIPPED}`, async () => {
  if (!hasPublicRollouts) return;
  const file = readFileSync(PUBLIC_ROLLOUTS, "utf8");
  const { rollouts } = importRolloutText(PUBLIC_ROLLOUTS, file, createToolCatalog({}));
  const { environment } = await readTauBenchAirline(dataFolder(TAU_BENCH));

  it("are written again byte for byte", () => {
    expect(rollouts.length).toBe(200);
    expect(`${dumpsIndented(exportTauBench(rollouts, CONTEXT))}\n`).toBe(file);
  });

  it("survive a way through tau2's format but for the spacing of arguments and what only the runner knows", () => {
    const there = importRolloutText("tau2.json", dumps(exportTau2(rollouts, CONTEXT)), createToolCatalog({}));
    const spacedAsPython = (text: string) => dumps(parseJson(text));
    for (const [index, { trajectory, task }] of rollouts.entries()) {
      const other = there.rollouts[index];
      expect(other?.task).toEqual(task);
      const spaced = (turns: typeof trajectory.turns) =>
        turns.map((turn) => ({
          ...turn,
          toolCalls: turn.toolCalls.map((call) => ({ ...call, argumentsJson: spacedAsPython(call.argumentsJson) })),
        }));
      expect({ ...other?.trajectory, turns: spaced(other?.trajectory.turns ?? []) }).toEqual({
        ...trajectory,
        turns: spaced(trajectory.turns),
      });
    }
  });

  it("are, written from our trajectories alone, what the runner wrote but for its costs and the hash of today's database", () => {
    for (const { origin, ...rollout } of rollouts) {
      const built = JSON.parse(dumps(tauBenchEntry({ ...rollout, origin: null }, CONTEXT, Number(rollout.task.id))));
      const stored = JSON.parse(dumps(origin?.entry ?? null));
      delete built.info.turnwise;
      if (built.info.reward_info?.info.gt_data_hash !== undefined)
        built.info.reward_info.info.gt_data_hash = stored.info.reward_info.info.gt_data_hash;
      expect({ ...built, info: { ...built.info, user_cost: stored.info.user_cost } }).toEqual(stored);
    }
  });

  it("earn the stored reward again, all of them", () => {
    const grades = rollouts.map(({ task, trajectory }) => ({ task: task.id, ...regrade(environment, wholeOf({ task }), trajectory) }));
    expect(grades.filter(({ difference }) => difference !== null)).toEqual([]);
    expect(grades.filter(({ reward }) => reward === 1).length).toBe(84);
  });

  it("read what they read then, but for a field of addresses that was renamed since", () => {
    let numRenamed = 0;
    for (const { trajectory } of rollouts) {
      let state = environment.reset();
      for (const call of trajectory.turns.flatMap(({ toolCalls }) => toolCalls)) {
        const step = environment.step(state, call);
        if (step.observation !== call.result) numRenamed += 1;
        expect(step.observation).toBe(call.result?.replace('"province":', '"state":'));
        state = step.state;
      }
    }
    expect(numRenamed).toBe(120);
  });

  it("lose the reward when a write is left out", () => {
    const passed = rollouts.filter(({ trajectory }) => trajectory.outcome.reward === 1);
    const cut = passed.flatMap(({ task, trajectory }) => {
      const isWrite = (name: string) => environment.isWrite(name) && !environment.isTerminal(name);
      const turns = trajectory.turns.map((turn) => ({ ...turn, toolCalls: turn.toolCalls.filter(({ name }) => !isWrite(name)) }));
      const writes = trajectory.turns.flatMap(({ toolCalls }) => toolCalls).filter(({ name, isError }) => isWrite(name) && !isError);
      return writes.length === 0 ? [] : [regrade(environment, wholeOf({ task }), { ...trajectory, turns })];
    });
    expect(cut.length).toBeGreaterThan(10);
    expect(cut.map(({ difference }) => difference)).toEqual(
      cut.map(() => "stored 1, replayed 0: the final database is not the golden one"),
    );
  });
});
