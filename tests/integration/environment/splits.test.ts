// Splits as campaigns get them: disjoint by user in every environment, and for campaigns of 0.1.0 the tasks that 0.1.0 gave them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import { REPOSITORY, readSettings } from "#adapters/settings.ts";
import { openTaskSet } from "#adapters/task-data/open-task-set.ts";
import { readTaskFile } from "#adapters/task-data/task-file.ts";
import { checkCampaign } from "#application/campaign/create-campaign.ts";
import type { EnvironmentConfig } from "#contracts/campaign-config.ts";
import type { Task } from "#contracts/task.ts";
import { type EnvironmentConfig1, upcastEnvironment } from "#contracts/upcast/environment.ts";
import { planSelectionTasks } from "#core/campaign/plan-tasks.ts";
import { sha256Hex } from "#core/canonical-json.ts";
import { clusterOf } from "#core/environment/cluster-of.ts";
import type { Splits } from "#core/environment/splits.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { openPure } from "../../support/open-pure.ts";
import { because, MISSING, TAU_BENCH } from "./tau-bench-data.ts";

const RECORD = join(REPOSITORY, "tests/fixtures/records/0.1.0/campaigns");
interface OldManifest {
  readonly config: { readonly seed: number; readonly environment: EnvironmentConfig1; readonly evaluation: { readonly tasks: number } };
  readonly dataSha256: string;
}

const TASK_FILE = join(REPOSITORY, "tests/fixtures/task-files/0.1.0.json");
const OLD_TASK_FILE_SHA256 = "52e7cdb6d98fcc93c082bc091a6bcabd9c99c1de33974019f917d8d8f5ce8bc5";
const settings = () => ({ home: temporaryFolder(), tauBench: TAU_BENCH });
const open = (config: EnvironmentConfig) => openPure(config, settings());
const isMissing = ({ type }: { readonly type: string }) => MISSING !== null && type !== "synthetic-airline" && type !== "task-file";

/** Tasks of a user who is in another split too. */
function tornApart(splits: Splits): string[] {
  const splitsOfUser = Map.groupBy(
    Object.entries(splits).flatMap(([split, tasks]) => tasks.map((task) => ({ split, userId: clusterOf(task) }))),
    ({ userId }) => userId,
  );
  return Array.from(splitsOfUser, ([userId, list]) => (new Set(list.map(({ split }) => split)).size > 1 ? userId : [])).flat();
}

describe("every environment", () => {
  const cases: [Record<string, unknown> & { type: string }, { train: number; selection: number; test: number }][] = [
    [{ type: "synthetic-airline" }, { train: 600, selection: 133, test: 267 }],
    [
      { type: "synthetic-airline", seed: 5 },
      { train: 600, selection: 133, test: 267 },
    ],
    [
      { type: "task-file", path: TASK_FILE },
      { train: 6, selection: 2, test: 4 },
    ],
    [{ type: "tau-bench-airline" }, { train: 30, selection: 0, test: 20 }],
    [
      { type: "tau-bench-airline", testTasks: 15, selectionTasks: 10 },
      { train: 25, selection: 10, test: 15 },
    ],
    [{ type: "tau-bench-retail" }, { train: 385, selection: 18, test: 115 }],
    [
      { type: "tau-bench-retail", selectionTasks: 60 },
      { train: 349, selection: 60, test: 115 },
    ],
    [
      { type: "tau-bench-retail", selectionTasks: 0 },
      { train: 409, selection: 0, test: 115 },
    ],
    [{ type: "tau2-airline" }, { train: 20, selection: 0, test: 20 }],
    [
      { type: "tau2-airline", selectionTasks: 6 },
      { train: 14, selection: 6, test: 20 },
    ],
  ];

  for (const [config, sizes] of cases) {
    test.skipIf(isMissing(config))(`has no user in two splits, and no task twice: ${JSON.stringify(config)}`, async () => {
      const { splits } = await open(config);
      expect(tornApart(splits)).toEqual([]);
      const { train, selection, test } = splits;
      expect({ train: train.length, selection: selection.length, test: test.length }).toEqual(sizes);
      const ids = Object.values(splits).flatMap((tasks) => tasks.map(({ id }) => id));
      expect(new Set(ids).size).toBe(ids.length);
    });
  }
});

describe("a campaign of 0.1.0", () => {
  /** Its config, and what 0.1.0 itself gave for it: hash of the data, and of the sorted ids of both splits. */
  const cases = [
    [
      { type: "synthetic-airline", seed: 1 },
      "8c2bc5ef5e7a772dbd083183b6c9376193f4b54fce6355b7ffa329982f790966",
      "34dcd8d9def5e3e5845c88cffa0afae237b240f1e29bac016f7119e5fec62662",
      "f62573460514719ec6ec15ad79cb15b17b69c9f7e5286f112df5834644cc6b3f",
    ],
    [
      { type: "tau-bench-airline", evaluationTasks: 20 },
      "fff21a2bd7895bdec2c9aee921cb5f7709c952957fd143de04b79982781a84c0",
      "f069a60329972da71cb40f4fb2c6954f7c90ee5c58dd462699268696a29e03ee",
      "df1fd24ac1e851948a6681e47370cbcb729eb5ecf1f40b4735058f969f00c1c3",
    ],
    [
      { type: "tau-bench-retail" },
      "f4ee88e9599de7b6eb5679d2cde981ff945c1280e75499026cb134bbaab1d6ee",
      "8bb04122c671d9121e3e5533d8c24c1610ea300934900373cfcd7a703fddb067",
      "cdeffe476bc2972acbe0c74f642da0883b8c804e237f6a1463b36cfb3616cd90",
    ],
    [
      { type: "tau2-airline" },
      "d5ea542d78948d7a482d9ceace9fc1b3402ec62d035f3ba511ea1e42d779999a",
      "91b015ace2229ba4e77d94ad7165940671abef6118c9c72d1e7dbb643a751f1b",
      "00e6cbeee0eed4685a5d14f9fbe57fd8e7fa82722f5c41fc24b29a03c614ecb0",
    ],
  ] as const;

  for (const [config, dataSha256, train, heldOut] of cases) {
    test.skipIf(isMissing(config))(`has its data hash and its tasks, all held out for selection: ${JSON.stringify(config)}`, async () => {
      const taskSet = await openTaskSet(upcastEnvironment(config), settings(), dataSha256);
      const { splits } = taskSet;
      const ids = (tasks: readonly Task[]) => sha256Hex(JSON.stringify(tasks.map(({ id }) => id).sort()));
      expect({ dataSha256: taskSet.dataSha256, train: ids(splits.train), selection: ids(splits.selection), test: splits.test }).toEqual({
        dataSha256,
        train,
        selection: heldOut,
        test: [],
      });
    });
  }

  test.each(readdirSync(RECORD))("%s of the committed record is given the data and the tasks that it was measured on", async (id) => {
    const { config, dataSha256 } = JSON.parse(readFileSync(join(RECORD, id, "campaign.json"), "utf8")) as OldManifest;
    const environment = upcastEnvironment(config.environment);
    const { splits } = await openTaskSet(environment, settings(), dataSha256);
    const ids = splits.selection.map(({ id }) => id);
    const planned = planSelectionTasks(ids, config.evaluation.tasks, { ...config, evaluation: { seed: config.seed }, environment });
    const rolledOut = readdirSync(join(RECORD, id, "iterations/0000/groups/evaluation"));
    expect(planned.map((taskId) => `${taskId}.json`)).toEqual(rolledOut.sort());
  });

  test("on a task file goes on with the file of that time, whose tasks nothing has changed", async () => {
    const { file, sha256 } = await readTaskFile(TASK_FILE);
    expect(file).toMatchObject({ schemaVersion: 2, generator: "turnwise-synthesize/1", counts: { train: 6, selection: 2, test: 4 } });
    const { splits } = await openTaskSet(
      upcastEnvironment({ type: "task-file", path: TASK_FILE, sha256 }),
      settings(),
      OLD_TASK_FILE_SHA256,
    );
    expect([splits.train.length, splits.selection.length, splits.test.length]).toEqual([6, 6, 0]);
  });
});

describe.skipIf(MISSING !== null)(`every campaign file${because}`, () => {
  const files = readdirSync(join(REPOSITORY, "configs/campaigns"));

  test.each(files)("%s asks for no more tasks than its splits have, and no user is in two of them", async (name) => {
    const config = await loadCampaignFile(join(REPOSITORY, "configs/campaigns", name), []);
    const { taskSet } = await checkCampaign(config, { ...readSettings(), ...settings() }, { mustReach: false });
    expect(tornApart(taskSet.splits)).toEqual([]);
  });
});
