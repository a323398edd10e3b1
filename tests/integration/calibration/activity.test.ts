// The calibration activity on a real record: a campaign of 0.1.0 that has adopted a fitted table, calibrated once more on the same rollouts.
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { MockActivityEnvironment } from "@temporalio/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { readSettings } from "#adapters/settings.ts";
import { openTaskSet } from "#adapters/task-data/open-task-set.ts";
import type { CalibrateInput, CalibrateResult } from "#contracts/activities.ts";
import { CalibrationReport } from "#contracts/calibration-report.ts";
import { RewardTable } from "#contracts/reward-table.ts";
import { createCalibrationActivities } from "../../../activities/calibration.ts";
import type { ActivityDependencies } from "../../../activities/dependencies.ts";
import { longTemporaryFolder } from "../../fixtures/temporary-folder.ts";

const CAMPAIGN = "approved-3";

describe("calibrate, after a fitted table was adopted", () => {
  const root = longTemporaryFolder();
  let record: CampaignRecord;
  let first: CalibrateResult;
  let again: CalibrateResult;
  let adopted: RewardTable;

  beforeAll(async () => {
    cpSync(join(import.meta.dirname, "../../fixtures/records/0.1.0"), root, { recursive: true });
    const store = new LocalArtifactStore(root);
    record = new CampaignRecord(store);
    const redesign = await record.readStage(CAMPAIGN, 1, "redesign");
    const table = redesign?.outputs["table"];
    if (table === undefined) throw new Error("the record has no adopted table");
    adopted = await record.readJson(RewardTable, table);
    rmSync(join(root, "campaigns", CAMPAIGN, "iterations/0001/calibration.json"));
    const used = {
      store,
      record,
      versions: {},
      clock: { now: () => 0, sleep: async () => undefined },
      openTaskSet: (config: Parameters<ActivityDependencies["openTaskSet"]>[0]) => openTaskSet(config, readSettings()),
    };
    const { calibrate } = createCalibrationActivities(used as unknown as ActivityDependencies);
    const input: CalibrateInput = {
      campaignId: CAMPAIGN,
      iteration: 1,
      table,
      startedAt: "2026-01-01T00:00:00.000Z",
    };
    const environment = new MockActivityEnvironment();
    first = await environment.run(calibrate, input);
    again = await environment.run(calibrate, input);
  });

  test("the author's table is the campaign's, the one in force the adopted one", async () => {
    const report = await record.readJson(CalibrationReport, first.report);
    const { priorTable } = await record.requireCampaign(CAMPAIGN);
    expect(report.authorTable).toEqual(await record.readJson(RewardTable, priorTable));
    expect(report.inForceTable).toEqual(adopted);
    expect(report.inForceTable).not.toEqual(report.authorTable);
    expect(report.fittedTable.lineage).toMatchObject({ authorSha256: report.authorTable?.sha256, parentSha256: adopted.sha256 });
  });

  test("the result names the fitted table that a person would approve, also when it is answered from the record", async () => {
    const report = await record.readJson(CalibrationReport, first.report);
    expect(first.fittedSha256).toBe(report.fittedTable.sha256);
    expect(again).toEqual(first);
  });

  test("the stage says which tables went into it", async () => {
    const stage = await record.readStage(CAMPAIGN, 1, "calibration");
    const { priorTable } = await record.requireCampaign(CAMPAIGN);
    expect(stage?.inputs["author"]).toBe(priorTable.sha256);
    expect(stage?.metrics).toHaveProperty(["calibration/in_force/discriminative_accuracy"]);
  });
});
