// docs/metrics.md names every metric that is logged, and no other: what the stages, the meters and MLflow's projection call their numbers.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { planRuns } from "#adapters/tracking/plan-runs.ts";
import { loadProjected } from "#adapters/tracking/projector.ts";
import { CalibrationReport } from "#contracts/calibration-report.ts";
import type { EvaluationReport } from "#contracts/evaluation-report.ts";
import { StageName } from "#contracts/manifests.ts";
import { Party } from "#contracts/meters.ts";
import { calibrationMetrics } from "#core/calibration/metrics.ts";
import { meterMetrics, NO_METERS } from "#core/campaign/meters.ts";
import { canaryMetrics } from "#core/rollout/canary.ts";
import { rolloutMetrics } from "../../../activities/calibration.ts";
import { measuredMetrics } from "../../../activities/evaluation.ts";
import { trainingMetrics } from "../../../activities/training.ts";
import { present } from "../../fixtures/present.ts";
import { writeSampleCampaign } from "../../fixtures/sample-record.ts";
import { longTemporaryFolder } from "../../fixtures/temporary-folder.ts";

const PLACEHOLDERS: Readonly<Record<string, string>> = {
  "…": "(selection|test|test/base)",
  "<stage>": `(${StageName.options.join("|")})`,
  "<party>": `(${Party.options.join("|")})`,
  "<table>": "(author|in_force|fitted)",
  "<tier>": "[a-z_]+",
  "<policy>": "(base|best|promoted)",
  "<k>": "\\d+",
};

/** The names of the page's tables: their first columns, as patterns. */
const named = readFileSync(join(REPOSITORY, "docs/metrics.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .flatMap((line) => [...(line.split(" | ")[0] ?? "").matchAll(/`([^`]+\/[^`]+)`/g)].map((match) => present(match[1])));
const patternOf = (name: string) => new RegExp(`^${name.replace(/…|<[a-z]+>/g, (found) => present(PLACEHOLDERS[found]))}$`);

let logged: string[] = [];

beforeAll(async () => {
  const record = new CampaignRecord(new LocalArtifactStore(join(longTemporaryFolder(), "record")));
  await writeSampleCampaign(record, { id: "c" });
  const campaign = await loadProjected(record, "c");
  logged = [...new Set([...stageMetrics(campaign), ...(await groupMetrics(record)), ...(await calibrationNames())])];

  async function groupMetrics(from: CampaignRecord): Promise<string[]> {
    const group = present(await from.readGroup("c", 1, "train", "train-1"));
    const groups = [{ ...group, usage: { ...group.usage, reasoningTokens: 5, reasoningCharacters: 20 } }];
    const test = present(campaign.test);
    const selection: EvaluationReport = {
      ...test.final,
      comparisons: test.final.comparisons.flatMap((one) => [one, { ...one, against: "best" }]),
    };
    return [
      rolloutMetrics(groups),
      measuredMetrics("selection", withIntervals(selection), groups),
      measuredMetrics("test", withIntervals(test.final), groups),
      measuredMetrics("test/base", withIntervals(test.base), groups),
    ].flatMap(Object.keys);
  }
});

const withIntervals = (report: EvaluationReport): EvaluationReport => ({
  ...report,
  passHatK: report.passHatK.map(({ k, estimate }) => ({ k, estimate: { ...estimate, low: 0, high: 1 } })),
});

/** Of training, redesign, the servers' checks, the meters and what MLflow adds. */
function stageMetrics(campaign: Awaited<ReturnType<typeof loadProjected>>): string[] {
  const canary = { numTurns: 1, numTokens: 1, meanDifference: 0, maxDifference: 0 };
  const busy = { calls: 1, promptTokens: 1, completionTokens: 1, usd: 1, gpuSeconds: 1 };
  const meters = { ...NO_METERS, ...Object.fromEntries(Party.options.map((party) => [party, busy])) };
  const result = present(campaign.training.get(1));
  const steps = result.steps.map((step) => ({ ...step, advantageByTurn: [{ turn: 0, mean: 0.1 }] }));
  const projected = planRuns({ ...campaign, training: new Map([[1, { ...result, steps }]]) });
  return [
    ...[canaryMetrics("rollout", canary), canaryMetrics("selection", canary), trainingMetrics({ ...result, steps })].flatMap(Object.keys),
    ...[...StageName.options, "campaign"].flatMap((stage) => Object.keys(meterMetrics(stage, meters))),
    ...projected
      .flatMap(({ metrics }) => metrics.map(({ key }) => key))
      .filter((key) => /^(reward|training_step|campaign)\/|\/seconds$/.test(key)),
    "redesign/tiers_changed",
    "rollout/do_nothing_floor",
  ];
}

/** Of a report that a real campaign wrote. */
async function calibrationNames(): Promise<string[]> {
  const record = new CampaignRecord(new LocalArtifactStore(join(REPOSITORY, "tests/fixtures/records/0.1.0")));
  const stage = present(await record.readStage("approved-3", 1, "calibration"));
  const report = await record.readJson(CalibrationReport, present(stage.outputs["report"]));
  return Object.keys(calibrationMetrics({ ...report, scale: 1 }));
}

test("every metric that is logged is on the page", () => {
  expect(logged.length).toBeGreaterThan(150);
  const patterns = named.map(patternOf);
  expect(logged.filter((name) => !patterns.some((pattern) => pattern.test(name)))).toEqual([]);
});

test("the page names no metric that nothing logs", () => {
  expect(named.filter((name) => !logged.some((metric) => patternOf(name).test(metric)))).toEqual([]);
});

test("names that the code spells out are on the page too", () => {
  const sources = ["activities/calibration.ts", "activities/evaluation.ts", "activities/training.ts"];
  const spelled = sources.flatMap((path) => [...readFileSync(join(REPOSITORY, path), "utf8").matchAll(/"([a-z]+\/[a-z_]+)":/g)]);
  expect(spelled.length).toBeGreaterThan(12);
  const patterns = named.map(patternOf);
  expect(spelled.flatMap(([, name]) => name ?? []).filter((name) => !patterns.some((pattern) => pattern.test(name)))).toEqual([]);
});
