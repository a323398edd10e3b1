// Campaigns that are not running here: left by 0.1.0 on its own queues, paused, lost, ended. The record of 0.1.0 is the committed one.
import "../support/quiet-temporal.ts";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSettings, type Settings } from "#adapters/settings.ts";
import { CampaignClient } from "#application/campaign/campaign-client.ts";
import { launch } from "#application/campaign/launch.ts";
import { rebuildInput } from "#application/campaign/rebuild-state.ts";
import { openRecord } from "#application/record.ts";
import { campaignWorkflowId, iterationWorkflowId } from "#contracts/workflow-ids.ts";
import { registerCampaign } from "../../src/cli/commands/campaign.ts";
import { pauseUpdate } from "../../workflows/messages.ts";
import { runCommand } from "../fixtures/run-command.ts";
import { CampaignWorld, SPEAKER } from "./campaign-world.ts";

const RECORD = fileURLToPath(new URL("../fixtures/records/0.1.0", import.meta.url));
/** The campaign of that record that was interrupted in its iteration 1. */
const ID = "interrupted";

let world: CampaignWorld;
let home: string;
let environment: Record<string, string>;
let settings: Settings;
beforeAll(async () => {
  world = await CampaignWorld.open();
  home = await mkdtemp(join(tmpdir(), "turnwise-earlier-"));
  environment = { TURNWISE_HOME: home, TURNWISE_TEMPORAL_ADDRESS: world.address };
  settings = readSettings(environment);
  await cp(RECORD, join(home, "record"), { recursive: true });
});
afterAll(async () => {
  await world?.close();
  await rm(home, { recursive: true, force: true });
});

const turnwise = (...args: string[]) => runCommand(registerCampaign, ["campaign", ...args], environment);

/** As 0.1.0 leaves them when its processes are gone: on its queues, with nobody who could take their work. */
async function leaveBehind(): Promise<void> {
  for (const [type, workflowId] of [
    ["campaign", campaignWorkflowId(ID)],
    ["iteration", iterationWorkflowId(ID, 1)],
    ["rolloutBatch", `${iterationWorkflowId(ID, 1)}/rollout/train`],
  ] as const)
    await world.client.workflow.start(type, { workflowId, taskQueue: "turnwise-control", args: [{ campaignId: ID }] });
}

async function stateOf(workflowId: string): Promise<string> {
  const { status, taskQueue } = await world.client.workflow.getHandle(workflowId).describe();
  return `${status.name} on ${taskQueue}`;
}

describe("a campaign that 0.1.0 left running", () => {
  test("is told as not running, with the command that lets it go on; goes on from its record; and is then like any other", async () => {
    world.host(ID, { beforeGroup: () => new Promise((done) => setTimeout(done, 300)) });
    await leaveBehind();
    const client = await CampaignClient.connect(settings);
    try {
      expect(await client.status(ID)).toBeNull();
      await expect(client.steer(ID, pauseUpdate, SPEAKER)).rejects.toMatchObject({
        code: "campaign.not-running",
        next: `turnwise campaign resume ${ID}`,
      });
      expect(await turnwise("show", ID)).toContain(`not running; go on with: turnwise campaign resume ${ID}`);
      expect(await stateOf(campaignWorkflowId(ID))).toBe("RUNNING on turnwise-control");

      expect(await client.start(await rebuildInput(openRecord(settings), ID))).toBe("taken-over");
      expect(await stateOf(campaignWorkflowId(ID))).toBe("RUNNING on turnwise-control-2");
      expect(await client.status(ID)).toMatchObject({ state: "running", iteration: 1 });
      expect(await client.start(await rebuildInput(openRecord(settings), ID))).toBe("joined");

      // Paused, lost, left behind: `resume` acts on each.
      expect(await client.steer(ID, pauseUpdate, SPEAKER)).toBe("paused");
      expect(JSON.parse(await turnwise("resume", ID, "--json"))).toMatchObject({ how: "joined", state: "running" });
      await world.client.workflow.getHandle(campaignWorkflowId(ID)).terminate("lost");
      expect(JSON.parse(await turnwise("resume", ID, "--json"))).toMatchObject({ how: "started", state: "running", nextIteration: 1 });
      expect(JSON.parse(await turnwise("resume", ID, "--json"))).toMatchObject({ how: "joined", state: "running" });
      await world.client.workflow.getHandle(campaignWorkflowId(ID)).terminate("lost");
      await world.client.workflow
        .getHandle(iterationWorkflowId(ID, 1))
        .terminate("lost")
        .catch(() => {}); // or its parent has ended it
      await leaveBehind().catch(() => {}); // its rollouts may still be on their way out
      expect(await turnwise("resume", ID)).toContain(`campaign ${ID} was left running by an earlier release`);
    } finally {
      await world.client.workflow
        .getHandle(campaignWorkflowId(ID))
        .terminate("test over")
        .catch(() => {});
      await client.close();
    }
  });
});

test("an ended campaign says so, to whoever starts, resumes or tells it anything", async () => {
  const record = openRecord(settings);
  const ended = { code: "campaign.ended", message: expect.stringContaining("campaign approved-3 is completed: ") };
  await expect(launch(settings, record, "approved-3")).rejects.toMatchObject(ended);
  for (const args of [["resume"], ["pause"], ["stop"], ["approve"], ["budget", "--max-usd", "3"]])
    await expect(turnwise(args[0] ?? "", "approved-3", ...args.slice(1))).rejects.toMatchObject(ended);
});

test("a reason that is too long to travel is refused before anything is said", async () => {
  const refused = turnwise("pause", ID, "--reason", "w".repeat(4001));
  await expect(refused).rejects.toMatchObject({ code: "config.invalid", message: expect.stringContaining("4000") });
});
