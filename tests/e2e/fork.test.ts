// A fork on real services: it makes nothing again that its parent has made, and ends with a test of its own.
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { present } from "../fixtures/present.ts";
import { SMALL, withStackCampaign } from "./stack-campaign.ts";

const OVERRIDES = [...SMALL, "rollout.tasksPerIteration=8", "selection.tasks=8", "test={tasks: 8, trials: 1}"];
const END_SECONDS = 150;

test("a fork with another learning rate goes on from iteration 1 to its own test", { timeout: 6 * 60_000 }, async () => {
  await withStackCampaign(OVERRIDES, { services: ["temporal", "policy", "control", "rollout", "training"] }, async (campaign) => {
    const { campaignId: parent, record, settings, end } = campaign;
    const turnwise = async (...args: string[]) =>
      execa(process.execPath, [join(REPOSITORY, "src/cli/main.ts"), "campaign", ...args], {
        env: { TURNWISE_HOME: settings.home },
        reject: false,
      });
    const parentEnd = await end(END_SECONDS);

    const again = await turnwise("start", "configs/campaigns/quickstart.yaml", ...OVERRIDES.flatMap((one) => ["--set", one]));
    expect(again.stderr).toContain(`campaign ${parent} is completed`);
    const rate = ["--set", "training.hyperparameters.learningRate=0.0001", "--set", "stop.maxIterations=2"];
    const forked = await turnwise("fork", parent, "--from", "1", "--name", "child", ...rate, "--json");
    expect(forked).toMatchObject({ exitCode: 0, stderr: "" });
    expect(JSON.parse(forked.stdout)).toMatchObject({ campaignId: "child", parent: { campaignId: parent, iteration: 1 } });

    const childEnd = await end(END_SECONDS, "child");
    expect(childEnd).toMatchObject({ state: "completed", numIterations: 2, noTestReason: null });
    const [before, after] = [present(await record.readIteration(parent, 1)), present(await record.readIteration("child", 2))];
    expect([after.campaignId, after.policyBefore, after.tableBefore]).toEqual(["child", before.policyAfter, before.tableAfter]);
    expect(await record.store.list("campaigns/child/iterations/0001")).toEqual([]);
    expect(present(await record.readStage("child", 2, "test")).campaignId).toBe("child");
    expect(present(childEnd.test).base).toEqual(present(parentEnd.test).base); // the same tasks and users, by evaluation.seed
    expect(await record.readEnd(parent)).toEqual(parentEnd);
  });
});
