// The labellers of golden actions and of code, and the one of docs/extending/tier-scheme.md, under the laws of labellers.
import { describe, expect, test } from "vitest";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import { loadPriorTable } from "#adapters/campaign-file/load-reward-table.ts";
import { environmentResources } from "#adapters/environment-resources/environment-resources.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import type { CodeTask } from "#contracts/code-task.ts";
import { computeAdvantages } from "#core/advantage/compute-advantages.ts";
import { toAdvantageGroup } from "#core/reward/advantage-groups.ts";
import { goldenLabeller } from "#core/reward/golden-labeller.ts";
import { codeLabeller } from "#environments/code-reasoning/labels/code-labeller.ts";
import { taskOf } from "#environments/code-reasoning/tasks/task-of.ts";
import { moduleEnvironment } from "#environments/module/plugin.ts";
import { createSyntheticAirline } from "#environments/synthetic-airline/airline.ts";
import { present } from "../../fixtures/present.ts";
import { labellerLaws } from "../../laws/labellers.ts";
import { codeOf, textOf } from "../../support/pages.ts";

const LEGS: CodeTask = {
  ...{
    schemaVersion: 1,
    id: "legs",
    family: null,
    question: "How many legs?",
    answer: "35",
    tests: null,
    difficulty: null,
    solution: null,
  },
};
const EXAMPLE = "examples/tiers/calculator-steps.ts";
const steps = await moduleEnvironment.openTaskSet({ type: "module", path: EXAMPLE }, environmentResources(null));
const task = present(steps.splits.train.find(({ id }) => id === "sum-3-4-5"));
const sum = (left: number, operator: string, right: number) => JSON.stringify({ left, operator, right });

const airline = createSyntheticAirline(1);
const cancel = present(airline.splits.train.find(({ goldenActions }) => goldenActions.some(({ name }) => name === "cancel_reservation")));
labellerLaws("golden actions", {
  labeller: goldenLabeller(airline.environment),
  task: cancel,
  tools: ["cancel_reservation", "get_reservation_details"],
  argumentsJson: cancel.goldenActions.map(({ argumentsJson }) => argumentsJson),
  results: ["done", "Error: no such reservation"],
});
labellerLaws("code reasoning", {
  labeller: codeLabeller(new Map([["legs", LEGS]])),
  task: taskOf(LEGS),
  ...{ tools: ["python"], argumentsJson: ['{"code": "35"}', '{"code": "1"}'], results: ["35", "[exception]\nZeroDivisionError: no"] },
});
labellerLaws("docs/extending/tier-scheme.md", {
  labeller: steps.labeller,
  task,
  ...{ tools: ["calculate"], argumentsJson: [sum(3, "+", 4), sum(7, "*", 5), sum(9, "*", 9)], results: ["7", "35"] },
});

describe("the page", () => {
  test("shows the files that were tried", () => {
    expect(codeOf("docs/extending/tier-scheme.md", "yaml")).toBe(textOf("examples/tiers/cancels-apart.yaml"));
    expect(codeOf("docs/extending/tier-scheme.md", "ts")).toBe(textOf(EXAMPLE));
  });

  test("a campaign that names the scheme begins with its values, and steps are worth what they say", async () => {
    const changes = [`environment.path=${EXAMPLE}`, "reward.tiers=steps/1", "reward.table=finer-prior"];
    const file = `${REPOSITORY}/examples/environments/calculator.yaml`;
    const { reward, advantage } = await loadCampaignFile(file, changes);
    expect(reward.tiers).toBe("steps/1");
    await expect(loadPriorTable(reward, steps.labeller, `${REPOSITORY}/configs/rewards`)).rejects.toMatchObject({
      code: "reward.table-mismatch",
    });
    const table = await loadPriorTable({ tiers: reward.tiers }, steps.labeller, `${REPOSITORY}/configs/rewards`);
    const call = (argumentsJson: string, result: string) => ({
      id: "c",
      name: "calculate",
      argumentsJson,
      result,
      isError: false,
      isExecuted: true,
    });
    const rollout = (...calls: ReturnType<typeof call>[]) =>
      steps.labeller.label(
        {
          ...{ taskId: task.id, firstUserMessage: task.instruction, outcome: { stopReason: "agent-stop" } },
          turns: [...calls.map((one) => [one]), []].map((toolCalls, index) => ({ index, toolCalls, content: null, userReply: null })),
        } as never,
        task,
        table.scheme,
      );
    const right = rollout(call(sum(3, "+", 4), "7"), call(sum(7, "*", 5), "35"));
    const wrong = rollout(call(sum(3, "+", 4), "7"), call(sum(8, "*", 5), "40"), call(sum(8, "*", 5), "40"));
    expect(right.map(({ tier }) => tier)).toEqual(["known_step", "known_step", "message"]);
    expect(wrong.map(({ tier }) => tier)).toEqual(["known_step", "made_up_step", "repeated_step", "message"]);
    const member = (turns: typeof right, trial: number, outcome: 0 | 1) => ({ taskId: task.id, trial, outcome, isTruncated: false, turns });
    const group = toAdvantageGroup(task.id, [member(right, 0, 1), member(wrong, 1, 0)] as never, table);
    expect(group.members.map(({ turnRewards_T }) => turnRewards_T)).toEqual([
      [0.2, 0.2, 0],
      [0.2, -0.2, -0.1, 0],
    ]);
    expect(computeAdvantages([group], advantage).advantages[0]?.[0]?.[1]).toBeGreaterThan(0);
  });
});
