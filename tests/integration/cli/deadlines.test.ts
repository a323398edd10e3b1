// Nothing that the command line asks for is waited for without end: servers that accept and never answer, or stop in the middle.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkEndpoint } from "#adapters/inference/check-endpoint.ts";
import { isHealthy } from "#adapters/services/readiness.ts";
import { readSettings, type Settings } from "#adapters/settings.ts";
import { MlflowClient } from "#adapters/tracking/mlflow-client.ts";
import { askCampaigns } from "#application/campaign/ask-campaigns.ts";
import { CampaignClient } from "#application/campaign/campaign-client.ts";
import { pauseUpdate } from "../../../workflows/messages.ts";
import { type MuteServer, startMuteGrpcServer, startMuteServer } from "../../support/mute-server.ts";
import { campaignInput } from "../../workflow/fake-activities.ts";

const BEGUN = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
const servers: MuteServer[] = [];
let home: string;
let settings: Settings;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "turnwise-mute-"));
  servers.push(await startMuteServer(), await startMuteServer(BEGUN), await startMuteGrpcServer());
  settings = readSettings({ TURNWISE_HOME: home, TURNWISE_TEMPORAL_ADDRESS: `127.0.0.1:${servers[2]?.port}` });
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(home, { recursive: true, force: true });
});

const code = (call: Promise<unknown>) =>
  call.then(
    () => "answered",
    (error: { code?: string }) => error.code ?? String(error),
  );

describe.concurrent("a server that accepts and never answers", () => {
  for (const [index, kind] of ["says nothing", "stops in the middle of its answer"].entries()) {
    const url = () => `http://127.0.0.1:${servers[index]?.port}`;
    test.concurrent(`a model endpoint that ${kind} is unreachable`, async ({ expect: hold }) => {
      hold(await code(checkEndpoint({ baseUrl: `${url()}/v1` }))).toBe("config.unreachable");
    });
    test.concurrent(`an MLflow that ${kind} is unavailable`, async ({ expect: hold }) => {
      const mlflow = new MlflowClient({ baseUrl: url(), timeoutSeconds: 1 });
      hold(await code(mlflow.version())).toBe("tracking.unavailable");
      hold(await code(mlflow.ensureExperiment("any"))).toBe("tracking.unavailable");
    });
  }

  test.concurrent("a service that says nothing is not healthy", async ({ expect: hold }) => {
    hold(await isHealthy({ type: "http", url: `http://127.0.0.1:${servers[0]?.port}/health` })).toBe(false);
  });

  test.concurrent("a Temporal server that says nothing is not running", async ({ expect: hold }) => {
    const mute = { ...settings, temporalAddress: `127.0.0.1:${servers[0]?.port}` };
    hold(await code(CampaignClient.connect(mute))).toBe("service.not-running");
    hold(await askCampaigns(mute, ["any"])).toEqual([{ status: null, waiting: null }]);
  });

  test.concurrent("every call to a Temporal server that takes calls and answers none ends in service.not-running", async ({
    expect: hold,
  }) => {
    const client = await CampaignClient.connect(settings);
    const calls = [client.start(campaignInput("any")), client.status("any"), client.steer("any", pauseUpdate, { who: "a@b", why: "" })];
    hold(await Promise.all(calls.map(code))).toEqual(calls.map(() => "service.not-running"));
    hold(await askCampaigns(settings, ["one", "two"])).toEqual([
      { status: null, waiting: null },
      { status: null, waiting: null },
    ]);
    await client.close();
  });
}, 60_000);

test("the mute servers are there", () => {
  expect(servers).toHaveLength(3);
});
