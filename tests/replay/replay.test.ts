// Histories of this version of the task queues replay on today's workflows: a campaign that is under way survives an upgrade.
// Those of version 1 are of 0.1.0, whose campaigns go on from their records instead: tests/workflow/earlier-release.test.ts.
import "../support/quiet-temporal.ts";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, Worker, type WorkflowBundleWithSourceMap } from "@temporalio/worker";
import { beforeAll, describe, expect, test } from "vitest";
import { CONTROL_QUEUE } from "#contracts/workflow-ids.ts";

const folder = fileURLToPath(new URL("histories", import.meta.url));
const versionOf = (name: string): number => Number(/-(\d+)$/.exec(name.replace(/\.json$/, ""))?.[1]);
const files = readdirSync(folder).filter((file) => versionOf(file) >= versionOf(CONTROL_QUEUE));
let workflowBundle: WorkflowBundleWithSourceMap;

beforeAll(async () => {
  workflowBundle = await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL("../../workflows/index.ts", import.meta.url)) });
});

const read = (file: string) => JSON.parse(readFileSync(`${folder}/${file}`, "utf8"));

describe("replay", () => {
  test("there is a history of every workflow", () => {
    for (const workflow of ["campaign", "campaign-test", "iteration", "rollout-batch"])
      expect(files).toContain(`${workflow}-${versionOf(CONTROL_QUEUE)}.json`);
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
