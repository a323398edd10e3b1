// A campaign on an environment that lies outside of the sources, from a random start: real services, real trainer, to its end.
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import { makeInitialPolicy } from "#adapters/seed-policy/initial-policy.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { checkCampaign, createCampaign } from "#application/campaign/create-campaign.ts";
import { present } from "../fixtures/present.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { withRecordedCampaign } from "./stack-campaign.ts";

const SHAPE = {
  hiddenSize: 32,
  numLayers: 1,
  numHeads: 2,
  numKeyValueHeads: 2,
  headDim: 16,
  intermediateSize: 64,
  ropeTheta: 10_000,
  maxPositions: 2048,
};
const SMALL = [
  "rollout.tasksPerIteration=8",
  "rollout.groupSize=8",
  "selection.tasks=8",
  "test.tasks=8",
  "training.hyperparameters.numMinibatches=2",
  "stop.maxIterations=1",
];
const END_SECONDS = 240;

test("the calculator trains a random start to its end, with graded rewards", { timeout: 8 * 60_000 }, async () => {
  const checkpoint = join(temporaryFolder(), "random-start");
  const prepare: Parameters<typeof withRecordedCampaign>[0] = async (record, settings) => {
    await makeInitialPolicy({ schemaVersion: 1, modelConfig: SHAPE, seed: 1, outputDirectory: checkpoint }, settings.python);
    const file = join(REPOSITORY, "examples/environments/calculator.yaml");
    const config = await loadCampaignFile(file, [...SMALL, `policy.checkpoint=${checkpoint}`]);
    return (await createCampaign(record, config.name, await checkCampaign(config, settings, { mustReach: true }))).id;
  };
  await withRecordedCampaign(
    prepare,
    { services: ["temporal", "policy", "control", "rollout", "training"] },
    async ({ campaignId, record, end }) => {
      expect(await end(END_SECONDS)).toMatchObject({ state: "completed", numIterations: 1, noTestReason: null });
      const { config } = await record.requireCampaign(campaignId);
      expect(config.environment).toEqual({
        type: "module",
        path: "examples/environments/calculator.ts",
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        largest: 9,
      });

      const tasks = await record.listGroups(campaignId, 1, "train");
      const groups = await Promise.all(tasks.map(async (task) => present(await record.readGroup(campaignId, 1, "train", task))));
      const trajectories = (await Promise.all(groups.map((group) => record.readTrajectories(group.trajectories)))).flat();
      expect(trajectories).toHaveLength(64);
      expect(new Set(trajectories.map(({ simulator }) => simulator.id))).toEqual(new Set(["none"]));
      const rewards = trajectories.map(({ outcome }) => outcome.reward ?? Number.NaN);
      expect(rewards.some((reward) => reward > 0 && reward < 1)).toBe(true);

      const { metrics } = present(await record.readStage(campaignId, 1, "training"));
      expect(metrics["training/steps"]).toBe(2);
      expect(metrics["training/gradient_norm"]).toBeGreaterThan(0);
    },
  );
});
