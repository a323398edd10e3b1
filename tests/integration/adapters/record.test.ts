import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { decodeTrajectories, encodeTrajectories, TRAJECTORY_TABLE } from "#adapters/record/trajectories.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { present } from "../../fixtures/present.ts";
import { sampleTrajectory, writeSampleCampaign } from "../../fixtures/sample-record.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const code = (value: string) => expect.objectContaining({ code: value });
const openRecord = () => {
  const store = new LocalArtifactStore(temporaryFolder());
  return { store, record: new CampaignRecord(store) };
};

describe("trajectories as Parquet", () => {
  const awkward: Trajectory = {
    ...sampleTrajectory("t", 2, 0),
    firstUserMessage: "quote ' double \" comma, newline\n tab\t nul\0 lone \ud800 \u{1F6EB}",
    rows: [],
    outcome: {
      type: "agent_error",
      reward: 0,
      passed: false,
      parts: {},
      stopReason: "unparsable",
      isDatabaseMatch: null,
      detail: 'it\'s "bad" \ud800',
    },
  };
  const trajectories = [sampleTrajectory("t", 0, 1), sampleTrajectory("t", 1, 0), awkward];

  test("nothing is lost and the order stays", async () => {
    expect(await decodeTrajectories(await encodeTrajectories(trajectories))).toEqual(trajectories);
    expect(await decodeTrajectories(await encodeTrajectories([...trajectories].reverse()))).toEqual([...trajectories].reverse());
    expect(await decodeTrajectories(await encodeTrajectories([]))).toEqual([]);
  });

  test("same trajectories, same bytes, also with keys in another order and many at once", async () => {
    const first = await encodeTrajectories(trajectories);
    const reordered = trajectories.map((trajectory) => Object.fromEntries(Object.entries(trajectory).reverse()) as Trajectory);
    const again = await Promise.all([encodeTrajectories(trajectories), encodeTrajectories(reordered), encodeTrajectories(trajectories)]);
    for (const bytes of again) expect(Buffer.from(bytes).equals(Buffer.from(first))).toBe(true);
  });

  test("scalars are columns that SQL can read without this program", async () => {
    const path = join(temporaryFolder(), "t.parquet");
    writeFileSync(path, await encodeTrajectories(trajectories));
    const connection = await (await DuckDBInstance.create()).connect();
    const reader = await connection.runAndReadAll(`SELECT * FROM '${path}'`);
    expect(reader.columnNames()).toEqual(TRAJECTORY_TABLE.map(([name]) => name));
    expect(reader.getRowObjectsJS()[0]).toMatchObject({
      task_id: "t",
      trial: 0,
      reward: 1,
      passed: true,
      is_database_match: true,
      num_turns: 3,
      num_tool_calls: 2,
      num_tool_errors: 1,
      num_action_tokens: 4,
    });
    const [codec] = (await connection.runAndReadAll(`SELECT DISTINCT compression FROM parquet_metadata('${path}')`)).getRows();
    expect(codec).toEqual(["ZSTD"]);
    connection.closeSync();
  });

  test("bytes that are no Parquet are store.corrupt, a trajectory that fits no contract is contract.invalid", async () => {
    await expect(decodeTrajectories(Buffer.from("no parquet"))).rejects.toEqual(code("store.corrupt"));
    await expect(encodeTrajectories([{ ...awkward, trial: -1 }])).rejects.toEqual(code("contract.invalid"));
  });
});

describe("campaign record", () => {
  test("a campaign can be read back whole", async () => {
    const { record } = openRecord();
    const id = await writeSampleCampaign(record);
    expect(await record.listCampaigns()).toEqual([id]);
    expect(await record.listIterations(id)).toEqual([0, 1, 2]);
    expect(await record.listGroups(id, 1, "train")).toEqual(["train-1", "train-2"]);
    expect((await record.requireCampaign(id)).config.name).toBe("sample");
    expect((await record.readIteration(id, 2))?.selectionPassRate).toBe(0.7);
    expect((await record.readStage(id, 1, "calibration"))?.decision).toBe("accept");
    expect((await record.readEnd(id))?.state).toBe("completed");
    const group = await record.readGroup(id, 1, "train", "train-2");
    expect(await record.readTrajectories(present(group).trajectories)).toHaveLength(2);
  });

  test("writing the same campaign again changes nothing", async () => {
    const { store, record } = openRecord();
    await writeSampleCampaign(record);
    const names = await store.list("");
    await writeSampleCampaign(record);
    expect(await store.list("")).toEqual(names);
  });

  test("of two attempts of a stage the first stands and the second learns of it", async () => {
    const { record } = openRecord();
    const id = await writeSampleCampaign(record);
    const first = present(await record.readStage(id, 1, "calibration"));
    const late = { ...first, seconds: 99 };
    expect(await record.commitStage(late)).toEqual(first);
    await expect(record.putStage(late)).rejects.toEqual(code("store.conflict"));
  });

  test("what is not written reads as null, an unknown campaign is campaign.unknown", async () => {
    const { record } = openRecord();
    expect(await record.readCampaign("nobody")).toBeNull();
    expect(await record.listCampaigns()).toEqual([]);
    expect(await record.listIterations("nobody")).toEqual([]);
    await expect(record.requireCampaign("nobody")).rejects.toEqual(code("campaign.unknown"));
    await expect(record.requireCampaign("../x")).rejects.toEqual(code("campaign.unknown"));
  });

  test("a manifest of another shape is contract.invalid and names the file and field", async () => {
    const { store, record } = openRecord();
    const id = await writeSampleCampaign(record);
    const path = join(store.root, `campaigns/${id}/end.json`);
    chmodSync(path, 0o644);
    writeFileSync(path, JSON.stringify({ ...(await record.readEnd(id)), state: "exploded" }));
    await expect(record.readEnd(id)).rejects.toThrow(/end\.json.*state/);
  });
});
