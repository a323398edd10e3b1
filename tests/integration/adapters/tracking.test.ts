// Against a real MLflow server, started in the first test, after the campaign: what happens before it answers is part of what is tested.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { MlflowClient, type MlflowRun } from "#adapters/tracking/mlflow-client.ts";
import { planRuns } from "#adapters/tracking/plan-runs.ts";
import { compareProjection, loadProjected, projectCampaign } from "#adapters/tracking/projector.ts";
import { startTrackingLoop } from "#adapters/tracking/tracking-loop.ts";
import { registerTracking } from "../../../src/cli/commands/tracking.ts";
import { freePort, MLFLOW_BINARY, startMlflow } from "../../fixtures/mlflow-server.ts";
import { present } from "../../fixtures/present.ts";
import { runCommand } from "../../fixtures/run-command.ts";
import { writeSampleCampaign, writeSampleEnd, writeSampleIteration } from "../../fixtures/sample-record.ts";

if (MLFLOW_BINARY === null) console.warn("tracking tests are skipped: no MLflow in the Python environment (npm run setup)");

const home = mkdtempSync(join(tmpdir(), "turnwise-test-"));
const record = new CampaignRecord(new LocalArtifactStore(join(home, "record")));
let mlflow: MlflowClient;
let server: { stop(): Promise<void> } | null = null;
let port = 0;

beforeAll(async () => {
  port = await freePort();
  mlflow = new MlflowClient({ baseUrl: `http://127.0.0.1:${port}` });
});
afterAll(async () => {
  await server?.stop();
  rmSync(home, { recursive: true, force: true });
});

const tagsOf = (run: MlflowRun) => Object.fromEntries(run.data.tags.map(({ key, value }) => [key, value]));
const paramsOf = (run: MlflowRun) => Object.fromEntries(run.data.params.map(({ key, value }) => [key, value]));

async function runsOf(campaignId: string): Promise<Map<string, MlflowRun>> {
  const runs = await mlflow.searchRunsByTag(await mlflow.ensureExperiment("turnwise"), "turnwise.campaign", campaignId);
  expect(new Set(runs.map((run) => tagsOf(run)["turnwise.key"])).size, "runs without a second of the same key").toBe(runs.length);
  return new Map(runs.map((run) => [tagsOf(run)["turnwise.key"] ?? "", run]));
}

async function waitFor(isTrue: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (await isTrue()) return;
    await sleep(100);
  }
  throw new Error("waited 10 seconds in vain");
}

describe.skipIf(MLFLOW_BINARY === null)("projection to MLflow", () => {
  test("MLflow that is down costs one line in the log; when it is up it gets what it missed", { timeout: 240_000 }, async () => {
    const lines: string[] = [];
    const log = { info: (_: object, message: string) => lines.push(message), warn: (_: object, message: string) => lines.push(message) };
    const stopping = new AbortController();
    onTestFinished(() => stopping.abort());
    const loop = startTrackingLoop({ record, baseUrl: mlflow.baseUrl, intervalSeconds: 0.2, signal: stopping.signal, log });
    await writeSampleCampaign(record, { id: "early", numIterations: 1, isEnded: false });
    await sleep(1500);
    expect(lines).toEqual(["MLflow is down; campaigns go on, it gets what it missed later"]);

    server = await startMlflow(home, port);
    await waitFor(async () => lines.length > 1);
    expect((await runsOf("early")).size).toBe(3);
    expect(lines).toEqual(["MLflow is down; campaigns go on, it gets what it missed later", "MLflow is back"]);

    const tables = {
      prior: (await record.requireCampaign("early")).priorTable,
      fitted: present(await record.readIteration("early", 1)).tableAfter,
    };
    await writeSampleIteration(record, "early", 2, tables);
    await writeSampleEnd(record, "early", 2);
    await waitFor(async () => (await runsOf("early")).get("campaign/early")?.info.status === "FINISHED");
    await waitFor(async () => (await runsOf("early")).get("campaign/early/iteration/2")?.info.status === "FINISHED");
    stopping.abort();
    await loop;
    expect(lines).toHaveLength(2);
  });

  test("a campaign is one run with its config, its iterations are runs below it", async () => {
    await writeSampleCampaign(record, { id: "whole" });
    expect(await projectCampaign(record, mlflow, "whole")).toEqual({ campaignId: "whole", numRuns: 4, numChanged: 4 });
    const runs = await runsOf("whole");
    expect([...runs.keys()].sort()).toEqual([
      "campaign/whole",
      "campaign/whole/iteration/0",
      "campaign/whole/iteration/1",
      "campaign/whole/iteration/2",
    ]);
    const parent = present(runs.get("campaign/whole"));
    expect(paramsOf(parent)).toMatchObject({
      "rollout.groupSize": "2",
      "advantage.type": "gtpo-hybrid/1",
      "training.hyperparameters.betas": "[0.9,0.999]",
    });
    expect(parent.info).toMatchObject({
      status: "FINISHED",
      start_time: Date.parse("2026-01-02T03:04:05.000Z"),
      end_time: Date.parse("2026-01-02T03:07:06.000Z"),
    });
    for (const iteration of [0, 1, 2]) {
      const child = present(runs.get(`campaign/whole/iteration/${iteration}`));
      expect(tagsOf(child)["mlflow.parentRunId"]).toBe(parent.info.run_id);
      expect(child.info.status).toBe("FINISHED");
    }
  });

  test("points have the record's times, not the clock's", async () => {
    const runs = await runsOf("whole");
    const child = present(runs.get("campaign/whole/iteration/1"));
    const start = Date.parse("2026-01-02T03:05:35.000Z"); // training of iteration 1
    expect(await mlflow.metricHistory(child.info.run_id, "training_step/loss")).toEqual([
      { key: "training_step/loss", value: 0.5, timestamp: start + 1, step: 1 },
      { key: "training_step/loss", value: 0.45, timestamp: start + 2, step: 2 },
      { key: "training_step/loss", value: 0.4, timestamp: start + 3, step: 3 },
    ]);
    const parent = present(runs.get("campaign/whole"));
    expect((await mlflow.metricHistory(parent.info.run_id, "reward/read")).map(({ step, value }) => [step, value])).toEqual([
      [0, 0],
      [1, -0.25],
      [2, -0.25],
    ]);
    expect((await mlflow.metricHistory(parent.info.run_id, "train/pass_rate")).map(({ step }) => step)).toEqual([1, 2]);
  });

  test("the campaign's run has the test as its result, its cost and who steered it; iterations have selection alone", async () => {
    const runs = await runsOf("whole");
    const parent = present(runs.get("campaign/whole"));
    const points = async (key: string) => (await mlflow.metricHistory(parent.info.run_id, key)).map(({ step, value }) => [step, value]);
    expect(await points("test/pass_hat_1")).toEqual([[2, 0.5]]);
    expect(await points("test/base/pass_hat_1")).toEqual([[2, 0.4]]);
    expect(await points("campaign/policy_calls")).toEqual([
      [0, 24],
      [1, 48],
      [2, 72],
      [3, 96],
    ]);
    expect((await points("campaign/usd")).at(-1)).toEqual([3, 0.16]);
    expect(tagsOf(parent)).toMatchObject({ "turnwise.result": "test", "turnwise.last_word": "budget by ana: worth it" });
    const artifact = async (path: string) => JSON.parse(Buffer.from(await mlflow.getArtifact(parent, path)).toString());
    expect(await artifact("test/final.json")).toMatchObject({ purpose: "test", comparisons: [{ against: "base", pValue: 0.25 }] });
    expect(await artifact("steering.json")).toEqual(await record.readSteering("whole"));
    for (const [key, run] of runs) {
      const isCampaign = key === "campaign/whole";
      expect(
        run.data.metrics.some(({ key: name }) => name.startsWith("test/")),
        key,
      ).toBe(isCampaign);
    }
  });

  test("reports and reward tables are artifacts, byte for byte as in the record", async () => {
    const runs = await runsOf("whole");
    const child = present(runs.get("campaign/whole/iteration/1"));
    const stage = present(await record.readStage("whole", 1, "selection"));
    expect(
      Buffer.from(await mlflow.getArtifact(child, "selection/report.json")).equals(
        Buffer.from(await record.store.getBlob(present(stage.outputs["report"]))),
      ),
    ).toBe(true);
    expect(JSON.parse(Buffer.from(await mlflow.getArtifact(child, "redesign/table.json")).toString())).toMatchObject({ name: "fitted" });
    expect(JSON.parse(Buffer.from(await mlflow.getArtifact(present(runs.get("campaign/whole")), "campaign.json")).toString())).toEqual(
      await record.readCampaign("whole"),
    );
  });

  test("projecting again changes nothing, with or without force", async () => {
    const before = await snapshot("whole");
    expect(await projectCampaign(record, mlflow, "whole")).toMatchObject({ numChanged: 0 });
    expect(await projectCampaign(record, mlflow, "whole", { force: true })).toMatchObject({ numChanged: 4 });
    expect(await snapshot("whole")).toEqual(before);
  });

  test("cut off after any call, the next projection ends in the same state", { timeout: 120_000 }, async () => {
    const reference = comparable(await snapshot("whole"), "whole");
    let isComplete = false;
    for (let numCalls = 1; !isComplete; numCalls += 7) {
      const id = `cut-${numCalls}`;
      await writeSampleCampaign(record, { id });
      const { fetch } = globalThis;
      let calls = 0;
      globalThis.fetch = async (...args) => {
        calls += 1;
        // The server does the work, the answer is lost.
        if (calls < numCalls) return await fetch(...args);
        await fetch(...args);
        throw new TypeError("cut off");
      };
      try {
        await projectCampaign(record, mlflow, id);
        isComplete = true;
      } catch (error) {
        expect(error, String(error)).toMatchObject({ code: "tracking.unavailable" });
      } finally {
        globalThis.fetch = fetch;
      }
      await projectCampaign(record, mlflow, id);
      expect(comparable(await snapshot(id), id), `cut off at call ${numCalls}`).toEqual(reference);
    }
  });

  test("of two runs of one key the oldest stands and the other says so", async () => {
    const experimentId = await mlflow.ensureExperiment("turnwise");
    await writeSampleCampaign(record, { id: "twice", numIterations: 0 });
    await projectCampaign(record, mlflow, "twice");
    const tags = { "turnwise.key": "campaign/twice", "turnwise.campaign": "twice" };
    const late = await mlflow.createRun({ experimentId, name: "twice", startTime: Date.now(), tags });
    await projectCampaign(record, mlflow, "twice");
    const all = await mlflow.searchRunsByTag(experimentId, "turnwise.key", "campaign/twice");
    expect(all).toHaveLength(2);
    expect(tagsOf(present(all[1]))).toMatchObject({ "turnwise.superseded_by": present(all[0]).info.run_id });
    expect(present(all[1]).info).toMatchObject({ run_id: late.info.run_id, status: "KILLED" });
    expect(await projectCampaign(record, mlflow, "twice")).toMatchObject({ numChanged: 0 });
  });

  test("many projectors at once make one current run of each key", async () => {
    await writeSampleCampaign(record, { id: "crowd", numIterations: 1 });
    await Promise.all(Array.from({ length: 4 }, () => projectCampaign(record, mlflow, "crowd")));
    await projectCampaign(record, mlflow, "crowd");
    const experimentId = await mlflow.ensureExperiment("turnwise");
    const current = (await mlflow.searchRunsByTag(experimentId, "turnwise.campaign", "crowd")).filter(
      (run) => tagsOf(run)["turnwise.superseded_by"] === undefined,
    );
    expect(current.map((run) => tagsOf(run)["turnwise.key"]).sort()).toEqual([
      "campaign/crowd",
      "campaign/crowd/iteration/0",
      "campaign/crowd/iteration/1",
    ]);
    const plans = planRuns(await loadProjected(record, "crowd"));
    expect(await compareProjection(mlflow, "crowd", plans)).toEqual({ numRuns: 3, numProjected: 3 });
  });

  test("a value that is not finite is refused before it is sent, one that could change a filter as well", async () => {
    const run = present((await runsOf("whole")).get("campaign/whole"));
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const batch = { metrics: [{ key: "bad", value, timestamp: 1, step: 1 }], params: {}, tags: {} };
      await expect(mlflow.logBatch(run.info.run_id, batch)).rejects.toMatchObject({ code: "tracking.rejected" });
    }
    expect(await mlflow.metricHistory(run.info.run_id, "bad")).toEqual([]);
    await expect(mlflow.searchRunsByTag("1", "turnwise.key", "x' OR 1")).rejects.toMatchObject({ code: "tracking.rejected" });
  });

  test("batches beyond MLflow's limits are split", async () => {
    const run = present((await runsOf("whole")).get("campaign/whole/iteration/2"));
    const metrics = Array.from({ length: 2500 }, (_, step) => ({ key: "many", value: step, timestamp: step, step }));
    const params = Object.fromEntries(Array.from({ length: 250 }, (_, index) => [`p${index}`, "x".repeat(100)]));
    await mlflow.logBatch(run.info.run_id, { metrics, params, tags: {} });
    expect(await mlflow.metricHistory(run.info.run_id, "many")).toHaveLength(2500);
  });

  test("turnwise tracking status counts what is projected, rebuild fills an MLflow that lost it", async () => {
    const environment = { TURNWISE_HOME: home, TURNWISE_MLFLOW_URL: mlflow.baseUrl };
    await writeSampleCampaign(record, { id: "fresh", numIterations: 1 });
    const status = async () => JSON.parse(await runCommand(registerTracking, ["tracking", "status", "--json"], environment));
    const before = await status();
    expect(before).toMatchObject({ url: mlflow.baseUrl, version: expect.stringMatching(/^3\./) });
    expect(before.campaigns).toContainEqual({ campaignId: "fresh", numRuns: 3, numProjected: 0, problem: null });
    await runCommand(registerTracking, ["tracking", "rebuild"], environment);
    const after: { campaigns: { numRuns: number; numProjected: number }[] } = await status();
    expect(after.campaigns.every(({ numRuns, numProjected }) => numRuns === numProjected)).toBe(true);
  });

  test.each([400, 500])("a campaign that MLflow refuses with %d blocks no other, and is named with the reason", async (code) => {
    const own = mkdtempSync(join(tmpdir(), "turnwise-test-"));
    onTestFinished(() => rmSync(own, { recursive: true, force: true }));
    const store = new CampaignRecord(new LocalArtifactStore(join(own, "record")));
    const ids = [`a-${code}`, `b-${code}`, `c-${code}`];
    for (const id of ids) await writeSampleCampaign(store, { id, numIterations: 1, isEnded: false });
    const url = await startRelay(mlflow.baseUrl, (body) => (body.includes(`"campaign/b-${code}"`) ? code : null));
    const environment = { TURNWISE_HOME: own, TURNWISE_MLFLOW_URL: url };
    const status = async () => JSON.parse(await runCommand(registerTracking, ["tracking", "status", "--json"], environment));
    onTestFinished(() => {
      process.exitCode = undefined;
    });

    const stopping = new AbortController();
    const log = { info: () => undefined, warn: () => undefined };
    const loop = startTrackingLoop({ record: store, baseUrl: url, intervalSeconds: 0.2, signal: stopping.signal, log, home: own });
    await waitFor(async () => (await runsOf(`c-${code}`)).size === 3);
    await waitFor(async () => (await status()).campaigns[1].problem !== null);
    stopping.abort();
    await loop;
    const campaigns = (await status()).campaigns as { problem: string | null; numProjected: number }[];
    expect(campaigns.map(({ numProjected }) => numProjected)).toEqual([3, 0, 3]);
    expect(campaigns.map(({ problem }) => problem)).toEqual([null, expect.stringContaining("no room for this"), null]);
    expect(process.exitCode).toBe(3);

    process.exitCode = undefined;
    const rebuilt = await runCommand(registerTracking, ["tracking", "rebuild"], environment);
    expect(rebuilt).toMatch(new RegExp(`a-${code}: 3 runs\nb-${code} is not in MLflow: .*no room for this.*\nc-${code}: 3 runs\n`));
    expect(process.exitCode).toBe(3);
  });

  test("without a server, status says so and rebuild is tracking.unavailable", async () => {
    const environment = { TURNWISE_HOME: home, TURNWISE_MLFLOW_URL: `http://127.0.0.1:${await freePort()}` };
    expect(await runCommand(registerTracking, ["tracking", "status"], environment)).toContain("does not answer");
    await expect(runCommand(registerTracking, ["tracking", "rebuild"], environment)).rejects.toMatchObject({
      code: "tracking.unavailable",
    });
  });
});

/** A server before MLflow that answers itself, with the code that `refuse` gives for a request's body, and passes all else on. */
async function startRelay(target: string, refuse: (body: string) => number | null): Promise<string> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const code = refuse(body.toString("utf8"));
    if (code !== null) return response.writeHead(code).end("there is no room for this");
    const headers = { "content-type": request.headers["content-type"] ?? "application/json" };
    const passed = await fetch(target + request.url, { method: request.method ?? "GET", headers, ...(body.length > 0 ? { body } : {}) });
    return response.writeHead(passed.status).end(Buffer.from(await passed.arrayBuffer()));
  };
  const relay = createServer((request, response) => void answer(request, response));
  await new Promise<void>((done) => relay.listen(0, "127.0.0.1", done));
  onTestFinished(() => void relay.close());
  return `http://127.0.0.1:${(relay.address() as AddressInfo).port}`;
}

/** Everything that MLflow shows of a campaign. */
async function snapshot(campaignId: string): Promise<object[]> {
  const experimentId = await mlflow.ensureExperiment("turnwise");
  const runs = await mlflow.searchRunsByTag(experimentId, "turnwise.campaign", campaignId);
  return await Promise.all(
    runs.map(async (run) => ({
      info: run.info,
      tags: tagsOf(run),
      params: paramsOf(run),
      metrics: await Promise.all(
        run.data.metrics
          .map(({ key }) => key)
          .sort()
          .map((key) => mlflow.metricHistory(run.info.run_id, key)),
      ),
    })),
  );
}

/** The same without what differs between campaigns by nature: ids of campaign and runs, the hashes that hold them, superseded runs. */
function comparable(runs: readonly object[], id: string): object[] {
  const text = JSON.stringify(runs).replaceAll(`"${id} `, '"ID ').replaceAll(`"${id}"`, '"ID"').replaceAll(`campaign/${id}`, "campaign/ID");
  return (JSON.parse(text) as { info: Record<string, unknown>; tags: Record<string, string> }[])
    .filter(({ tags }) => tags["turnwise.superseded_by"] === undefined)
    .map(({ info, tags, ...rest }) => ({
      ...rest,
      status: [info["status"], info["start_time"], info["end_time"]],
      tags: { ...tags, "turnwise.projected": "…", "mlflow.parentRunId": tags["mlflow.parentRunId"] === undefined ? "none" : "…" },
    }))
    .map((run) => ({ ...run, params: { ...(run as unknown as { params: object }).params, name: "…" } }))
    .sort((a, b) =>
      ((a.tags as Record<string, string>)["turnwise.key"] ?? "").localeCompare((b.tags as Record<string, string>)["turnwise.key"] ?? ""),
    );
}
