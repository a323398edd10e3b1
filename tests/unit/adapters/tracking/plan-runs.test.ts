import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ProjectedCampaign, planRuns, type RunPlan } from "#adapters/tracking/plan-runs.ts";
import type { StageManifest } from "#contracts/manifests.ts";
import { NO_METERS } from "#core/campaign/meters.ts";
import { hashJson } from "#core/canonical-json.ts";
import { sampleConfig, samplePolicy } from "../../../fixtures/sample-record.ts";

const ref = (schema: string, numBytes = 10) => ({ uri: "u", sha256: "0".repeat(64), numBytes, schema });

function stage(name: StageManifest["stage"], startedAt: string, rest: Partial<StageManifest> = {}): StageManifest {
  return {
    schemaVersion: 2,
    campaignId: "c",
    iteration: 1,
    stage: name,
    inputs: {},
    outputs: {},
    metrics: {},
    meters: NO_METERS,
    decision: null,
    startedAt,
    seconds: 2,
    versions: {},
    ...rest,
  };
}

function campaign(stages: readonly StageManifest[], rest: Partial<ProjectedCampaign> = {}): ProjectedCampaign {
  return {
    id: "c",
    campaign: {
      schemaVersion: 2,
      id: "c",
      config: sampleConfig(),
      configSha256: "d".repeat(64),
      codeVersion: "1",
      dataSha256: "e".repeat(64),
      basePolicy: samplePolicy("a"),
      priorTable: ref("RewardTable/1"),
      estimate: null,
      parent: null,
      createdAt: "2026-01-01T00:00:00.000Z",
    },
    end: null,
    iterations: [{ iteration: 1, owner: "c", manifest: null, stages, report: null, tableBefore: null, tableAfter: null }],
    test: null,
    steering: [],
    training: new Map(),
    ...rest,
  };
}

const runOf = (plans: readonly RunPlan[], key: string) => plans.find((plan) => plan.key === key);

test("NaN and infinities never become points", () => {
  const metrics = { good: 1, nan: Number.NaN, up: Number.POSITIVE_INFINITY, down: Number.NEGATIVE_INFINITY };
  const plans = planRuns(campaign([stage("rollout", "2026-01-01T00:00:01.000Z", { metrics })]));
  const points = plans.flatMap(({ metrics: sent }) => sent);
  expect(points.every(({ value }) => Number.isFinite(value))).toBe(true);
  expect(new Set(points.map(({ key }) => key))).toEqual(new Set(["good", "rollout/seconds"]));
});

test("the same record gives the same plan", () => {
  const stages = [stage("rollout", "2026-01-01T00:00:01.000Z", { metrics: { a: 1 } })];
  expect(planRuns(campaign(stages))).toEqual(planRuns(campaign(stages)));
});

test("an iteration without a committed stage has no run yet; with one it runs from that stage's start", () => {
  expect(planRuns(campaign([])).map(({ key }) => key)).toEqual(["campaign/c"]);
  const plans = planRuns(campaign([stage("calibration", "2026-01-01T00:00:09.000Z"), stage("rollout", "2026-01-01T00:00:01.000Z")]));
  expect(runOf(plans, "campaign/c/iteration/1")).toMatchObject({
    startTime: Date.parse("2026-01-01T00:00:01.000Z"),
    status: "RUNNING",
    endTime: null,
  });
});

test("the iteration in which a campaign was stopped is killed, not left running", () => {
  const end = {
    schemaVersion: 2 as const,
    campaignId: "c",
    state: "stopped" as const,
    reason: "x",
    numIterations: 0,
    finalPolicy: samplePolicy("a"),
    finalIteration: 0,
    test: null,
    noTestReason: "stopped",
    finishedAt: "2026-01-01T00:10:00.000Z",
  };
  const plans = planRuns(campaign([stage("rollout", "2026-01-01T00:00:01.000Z")], { end }));
  expect(plans.map(({ status, endTime }) => [status, endTime])).toEqual([
    ["KILLED", Date.parse(end.finishedAt)],
    ["KILLED", Date.parse(end.finishedAt)],
  ]);
});

test("a campaign without a test says so, and a fork does not pay for what its parent did", () => {
  const meters = { ...NO_METERS, policy: { ...NO_METERS.policy, calls: 5 } };
  const manifest = (iteration: number) => ({ iteration, meters, finishedAt: "2026-01-01T00:00:00.000Z", tableAfter: ref("RewardTable/1") });
  const iterations = [
    { iteration: 0, owner: "parent", manifest: manifest(0), stages: [], tableAfter: null },
    { iteration: 1, owner: "c", manifest: manifest(1), stages: [], tableAfter: null },
  ] as unknown as ProjectedCampaign["iterations"];
  const parent = { campaignId: "parent", iteration: 0, iterationsSha256: "f".repeat(64) };
  const [run] = planRuns(campaign([], { iterations, campaign: { ...campaign([]).campaign, parent } }));
  expect(run?.tags).toMatchObject({
    "turnwise.result": "none: the test is opened once, when the campaign ends",
    "turnwise.parent": "parent after iteration 0",
  });
  expect(run?.metrics.filter(({ key }) => key === "campaign/policy_calls").map(({ step, value }) => [step, value])).toEqual([[1, 5]]);
});

describe("what MLflow would refuse", () => {
  test("params are within its limits and say what they leave out", () => {
    const plans = planRuns(
      campaign([], { campaign: { ...campaign([]).campaign, config: { ...sampleConfig(), description: "x".repeat(9000) } } }),
    );
    const [run] = plans;
    expect(run?.params["description"]).toHaveLength(6000);
    expect(run?.params["description"]?.endsWith("…")).toBe(true);
    expect(Object.values(run?.tags ?? {}).every((value) => value.length <= 5000)).toBe(true);
    expect(Object.keys(run?.params ?? {}).every((key) => /^[\w.\-/ ]{1,250}$/.test(key))).toBe(true);
  });

  test("a metric's name is made of characters that it takes", () => {
    const plans = planRuns(campaign([stage("rollout", "2026-01-01T00:00:01.000Z", { metrics: { "pass^1 (train)": 1 } })]));
    expect(runOf(plans, "campaign/c")?.metrics.map(({ key }) => key)).toContain("pass_1 _train_");
  });
});

test("reports and tables are artifacts; policies, batches and giants stay in the record", () => {
  const outputs = {
    report: ref("EvaluationReport/1"),
    markdown: ref("text/markdown"),
    policy: ref("PolicyManifest/1"),
    batch: ref("TrainingBatch/1"),
    huge: ref("TrainingResult/1", 30_000_000),
  };
  const plans = planRuns(campaign([stage("selection", "2026-01-01T00:00:01.000Z", { outputs })]));
  expect(runOf(plans, "campaign/c/iteration/1")?.artifacts.map(({ path }) => path)).toEqual([
    "selection/report.json",
    "selection/markdown.md",
  ]);
});

test("whatever stands at the limits of a tag or a param, it is cut between characters, and every plan has its hash", () => {
  const half = fc.constantFrom("", "\ud83d", "\ude00");
  fc.assert(
    fc.property(fc.integer({ min: 4990, max: 6005 }), half, (length, end) => {
      const config = { ...sampleConfig(), description: `${"x".repeat(length)}${"🙂".repeat(600)}${end}` };
      const [plan] = planRuns(campaign([], { campaign: { ...campaign([]).campaign, config } }));
      const texts = [plan?.params["description"], plan?.tags["mlflow.note.content"]];
      expect(texts.map((text) => text?.length)).toEqual([
        expect.toSatisfy((n: number) => n > 5990 && n <= 6000),
        expect.toSatisfy((n: number) => n >= 4999 && n <= 5000),
      ]);
      for (const text of texts) expect(text?.isWellFormed()).toBe(true);
      expect(hashJson(plan?.params)).toMatch(/^[0-9a-f]{64}$/);
    }),
  );
});
