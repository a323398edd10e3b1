// A campaign names its data by hash: folders of several campaigns stand side by side, and what has changed since is refused.
import { mkdtempSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { REPOSITORY, readSettings } from "#adapters/settings.ts";
import { openTaskSet } from "#adapters/task-data/open-task-set.ts";
import { openTaskDatabase } from "#adapters/task-data/task-databases.ts";
import { writeBenchmarkFiles } from "#adapters/task-data/write-benchmark-files.ts";
import { checkCampaign, createCampaign } from "#application/campaign/create-campaign.ts";
import { SynthesisOptions } from "#contracts/task-file.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const OPTIONS = SynthesisOptions.parse({
  seed: 1,
  writes: [1],
  evidence: [1, 2],
  perCell: 6,
  refusals: 0,
  trainShare: 0.1,
  selectionShare: 0,
  contaminated: "drop",
  maxOverlap: 0.3,
});

/** A data folder in tau-bench's format, about the synthetic airline of this seed. */
async function writeData(folder: string, seed: number): Promise<void> {
  const database = { name: "synthetic-airline", seed } as const;
  const opened = await openTaskDatabase(database, null);
  const { tasks, cells, counts } = opened.synthesize(OPTIONS);
  const file = { schemaVersion: 2, generator: "turnwise-synthesize/2", database, databaseSha256: opened.databaseSha256 } as const;
  const own = { database: opened.database, environment: opened.environmentWith([]) };
  await writeBenchmarkFiles(folder, "tau-bench", { ...file, options: OPTIONS, counts, cells: [...cells], tasks: [...tasks] }, own);
}

describe("the data of a campaign", () => {
  const root = mkdtempSync(join(tmpdir(), "turnwise-test-"));
  const [home, ...folders] = [join(root, "home"), join(root, "one"), join(root, "two")] as const;
  const record = new CampaignRecord(new LocalArtifactStore(join(home, "record")));
  beforeAll(() => Promise.all(folders.map((folder, index) => writeData(folder, index + 1))));
  afterAll(() => rm(root, { recursive: true, force: true }));

  async function start(campaignId: string, folder: string, testTasks: number) {
    vi.stubEnv("TURNWISE_HOME", home);
    vi.stubEnv("TURNWISE_TAU_BENCH", folder);
    const settings = [`environment.testTasks=${testTasks}`, `test.tasks=${testTasks}`, "rollout.tasksPerIteration=2"];
    const config = await loadCampaignFile(join(REPOSITORY, "configs/campaigns/tau-bench-airline.yaml"), settings);
    const manifest = await createCampaign(record, campaignId, await checkCampaign(config, readSettings(), { mustReach: false }));
    vi.unstubAllEnvs();
    return { ...manifest, environment: manifest.config.environment };
  }

  /** As a worker opens it that was started with this folder, or with none. */
  const open = ({ environment, dataSha256 }: Awaited<ReturnType<typeof start>>, tauBench: string | null = null) =>
    openTaskSet(environment, { home, tauBench }, dataSha256);

  test("is found by workers that know no folder or another campaign's, for two campaigns side by side", async () => {
    const one = await start("one", folders[0], 3);
    const two = await start("two", folders[1], 3);
    expect(one.dataSha256).not.toBe(two.dataSha256);
    for (const [campaign, other] of [
      [one, folders[1]],
      [two, folders[0]],
    ] as const) {
      expect((await open(campaign)).dataSha256).toBe(campaign.dataSha256);
      expect(await open(campaign, other)).toBe(await open(campaign));
    }
    expect((await open(one)).environment?.dataSha256).not.toBe((await open(two)).environment?.dataSha256);
  });

  // Each with a size of its own: what a worker has once loaded and checked it keeps.
  test.each([
    ["users.json", 5],
    ["tasks_test.json", 6],
    ["tools.json", 7],
    ["wiki.md", 8],
  ])("is refused once %s is another, with both hashes, before it is used, and taken again when it is put back", async (name, size) => {
    const campaign = await start(`changed-${size}`, folders[0], size);
    const path = join(folders[0], "airline", name);
    const before = await readFile(path, "utf8");
    const after = before.replace(/[A-Z][a-z]{3,}/, "Elsewhere");
    expect(after).not.toBe(before);
    await writeFile(path, after);
    const now = await openTaskSet(campaign.environment, { home, tauBench: folders[0] });
    await expect(open(campaign)).rejects.toMatchObject({
      code: "environment.data-changed",
      retryable: false,
      message: expect.stringMatching(`${campaign.dataSha256}.*${now.dataSha256}`),
      next: expect.stringContaining("TURNWISE_TAU_BENCH"),
    });
    await writeFile(path, before);
    expect((await open(campaign)).dataSha256).toBe(campaign.dataSha256);
  });

  test("may move, when the worker is told where to; without a folder it is missing", async () => {
    const from = temporaryFolder();
    await writeData(from, 3);
    const campaign = await start("moved", from, 3);
    const to = join(temporaryFolder(), "elsewhere");
    await rename(from, to);
    await expect(open(campaign)).rejects.toMatchObject({ code: "environment.data-missing" });
    expect((await open(campaign, to)).dataSha256).toBe(campaign.dataSha256);
    await rm(to, { recursive: true });
  });

  test("of a name that is taken must be the same", async () => {
    await start("taken", folders[0], 4);
    await expect(start("taken", folders[0], 4)).resolves.toMatchObject({ id: "taken" });
    await expect(start("taken", folders[1], 4)).rejects.toMatchObject({
      code: "store.conflict",
      message: "campaign taken exists with other data",
    });
    await expect(start("taken", folders[0], 3)).rejects.toMatchObject({
      code: "store.conflict",
      message: "campaign taken exists with another config: environment.testTasks is 4 there and 3 here; test.tasks is 4 there and 3 here",
    });
  });
});

test("the built-in airline of another version than the campaign's is refused, and says that the code has changed", async () => {
  const environment = { type: "synthetic-airline", seed: 1, splits: "train-selection-test" } as const;
  await expect(openTaskSet(environment, { home: temporaryFolder(), tauBench: null }, "0".repeat(64))).rejects.toMatchObject({
    code: "environment.data-changed",
    next: expect.stringContaining("the version of Turnwise"),
  });
});
