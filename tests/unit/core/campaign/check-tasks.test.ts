import { describe, expect, test } from "vitest";
import { checkTasks, type TasksConfig } from "#core/campaign/check-tasks.ts";
import type { Splits } from "#core/environment/splits.ts";
import { pluginFor } from "#environments/registry.ts";
import { createSyntheticAirline } from "#environments/synthetic-airline/airline.ts";

const { splits } = createSyntheticAirline(1);

const check = (
  config: Partial<Omit<TasksConfig, "environment">>,
  { environment = {}, ...parts }: Partial<Splits> & { environment?: object } = {},
) =>
  checkTasks(
    {
      seed: 1,
      evaluation: { seed: 1 },
      environment: pluginFor({ type: "tau-bench-airline", ...environment }).config,
      rollout: { tasksPerIteration: 30 },
      selection: { tasks: 20 },
      test: { tasks: 20 },
      ...config,
    },
    { ...splits, ...parts },
  );

describe("the tasks that a campaign asks for", () => {
  test.each([
    ["some of each split", {}, {}],
    ["no selection, where none is held out", { selection: null }, { selection: [] }],
    ["no test", { test: null }, { test: [] }],
    ["no selection, where the split is the environment's own", { selection: null }, { environment: { type: "synthetic-airline" } }],
  ])("may be %s", (_, config, parts) => {
    expect(() => check(config, parts)).not.toThrow();
  });

  test.each([
    ["more than there are to train on", { rollout: { tasksPerIteration: 601 } }, {}, "rollout.tasksPerIteration to at most 600"],
    ["more than there are for selection", { selection: { tasks: 134 } }, {}, "selection.tasks to at most 133"],
    ["more than there are for the test", { test: { tasks: 268 } }, {}, "test.tasks to at most 267"],
    [
      "selection where nothing is held out for it",
      {},
      { selection: [] },
      "selection to null, or hold tasks out with environment.selectionTasks",
    ],
    ["a test where nothing is held out for it", {}, { test: [] }, "test to null, or hold tasks out with environment.testTasks"],
    ["training where all is held out", {}, { train: [] }, "hold fewer tasks out"],
    ["no selection where tasks are held out for it", { selection: null }, {}, "environment.selectionTasks to 0"],
  ])("may not be %s", (_, config, parts, next) => {
    expect(() => check(config, parts)).toThrow(expect.objectContaining({ code: "config.invalid", next: expect.stringContaining(next) }));
  });
});
