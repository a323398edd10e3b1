// Histories of every released version replay on today's workflows: a campaign that is under way survives an upgrade.
import "../support/quiet-temporal.ts";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, Worker, type WorkflowBundleWithSourceMap } from "@temporalio/worker";
import { beforeAll, describe, expect, test } from "vitest";

const folder = fileURLToPath(new URL("histories", import.meta.url));
const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
let workflowBundle: WorkflowBundleWithSourceMap;

beforeAll(async () => {
  workflowBundle = await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL("../../workflows/index.ts", import.meta.url)) });
});

const read = (file: string) => JSON.parse(readFileSync(`${folder}/${file}`, "utf8"));

describe("replay", () => {
  test("there is a history of every workflow", () => {
    for (const workflow of ["campaign", "iteration", "rollout-batch"])
      expect(files.some((file) => file.startsWith(`${workflow}-`))).toBe(true);
  });

  test.each(files)("%s replays", async (file) => {
    await Worker.runReplayHistory({ workflowBundle }, read(file));
  });

  test("a history that today's workflows would not make is caught", async () => {
    const history = read(files.find((file) => file.startsWith("iteration-")) ?? "");
    for (const event of history.events) {
      const type = event.activityTaskScheduledEventAttributes?.activityType;
      if (type?.name === "calibrate") type.name = "redesign";
    }
    await expect(Worker.runReplayHistory({ workflowBundle }, history)).rejects.toMatchObject({ name: "DeterminismViolationError" });
  });
});
