import { join } from "node:path";
import { expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { loadCampaigns } from "#adapters/history/load.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { EvaluationReport } from "#contracts/evaluation-report.ts";
import { StoredEvaluationReport } from "#contracts/upcast/evaluation-report.ts";

const estimate = { value: 0.5, low: 0.4, high: 0.6 };
const version1 = {
  schemaVersion: 1,
  policyHash: "p",
  numTasks: 1,
  trials: 2,
  confidence: 0.95,
  bootstrapResamples: 1000,
  seed: 3,
  passHatK: [{ k: 1, estimate }],
  doNothingFloor: 0.1,
  comparisons: [{ against: "promoted", policyHash: "b", difference: estimate, numTasksBetter: 1, numTasksWorse: 0 }],
  perTask: [{ taskId: "t1", kind: "cancel", numPasses: 1, trials: 2 }],
  perKind: [{ kind: "cancel", numTasks: 1, passRate: 0.5 }],
  stopReasons: {},
};

test("a report of version 1 keeps its figures, has tasks for clusters, and null for what it did not compute", () => {
  const report = StoredEvaluationReport.parse(version1);
  expect(EvaluationReport.parse(report)).toEqual(report);
  expect(report).toMatchObject({ purpose: "selection", method: "bootstrap-tasks/1", numClusters: 1, passHatK: [{ k: 1, estimate }] });
  expect(report.comparisons).toEqual([
    {
      against: "promoted",
      policyHash: "b",
      difference: estimate,
      pValue: null,
      pHolm: null,
      detectableDifference: null,
      numClusters: 1,
      numTasks: 1,
      numTasksBetter: 1,
      numTasksWorse: 0,
    },
  ]);
  expect(report.perTask).toEqual([{ taskId: "t1", cluster: "t1", kind: "cancel", numPasses: 1, trials: 2 }]);
});

test("a report of this version is read as it is, another one is refused", () => {
  const report = StoredEvaluationReport.parse(version1);
  expect(StoredEvaluationReport.parse(report)).toEqual(report);
  expect(StoredEvaluationReport.safeParse({ ...version1, schemaVersion: 3 }).success).toBe(false);
  expect(StoredEvaluationReport.safeParse({ ...version1, unknown: 1 }).success).toBe(false);
});

test("every evaluation of the record of 0.1.0 is read", async () => {
  const record = new CampaignRecord(new LocalArtifactStore(join(REPOSITORY, "tests/fixtures/records/0.1.0")));
  const { readable, unreadable } = await loadCampaigns(record);
  expect(unreadable).toEqual([]);
  const reports = readable.flatMap(({ iterations }) => iterations.flatMap(({ report }) => report ?? []));
  expect(reports.length).toBeGreaterThanOrEqual(6);
  for (const report of reports) expect(EvaluationReport.parse(report)).toEqual(report);
});
