import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { openHistory } from "#adapters/history/history.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { present } from "../../fixtures/present.ts";
import { samplePolicy, sampleTrajectory, writeSampleCampaign } from "../../fixtures/sample-record.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const TABLES = [
  "campaigns",
  "evaluation_tasks",
  "evaluations",
  "groups",
  "iterations",
  "metrics",
  "rewards",
  "stages",
  "trajectories",
  "turn_credit",
  "turns",
];
const invalid = (message: RegExp) => expect.objectContaining({ code: "query.invalid", message: expect.stringMatching(message) });

const sampleRoot = mkdtempSync(join(tmpdir(), "turnwise-test-"));
beforeAll(async () => void (await writeSample(sampleRoot)));
afterAll(() => rmSync(sampleRoot, { recursive: true, force: true }));

async function writeSample(root: string): Promise<CampaignRecord> {
  const record = new CampaignRecord(new LocalArtifactStore(root));
  await writeSampleCampaign(record, { id: "first" });
  await writeSampleCampaign(record, { id: "second", numIterations: 1, isEnded: false });
  return record;
}

const sampleHistory = () => openedHistory(sampleRoot);

async function openedHistory(root: string) {
  const history = await openHistory(root);
  onTestFinished(() => history.close());
  return { history, rows: async (sql: string) => (await history.query(sql)).rows };
}

describe("tables", () => {
  test("campaigns stand beside each other with base, final and difference", async () => {
    const { rows } = await sampleHistory();
    expect(
      await rows(
        "SELECT campaign_id, state, num_iterations, base_pass_rate, final_pass_rate, final_iteration, round(difference, 6), seconds FROM campaigns ORDER BY 1",
      ),
    ).toEqual([
      ["first", "completed", 2, 0.5, 0.7, 2, 0.2, 181],
      ["second", "open", 1, 0.5, 0.6, 1, 0.1, 115],
    ]);
  });

  test("iterations carry the gate, the promotion and the evaluation with its interval", async () => {
    const { rows } = await sampleHistory();
    expect(
      await rows(
        "SELECT iteration, gate_decision, promotion, train_pass_rate, evaluation_pass_rate, round(evaluation_low, 6), seconds FROM iterations WHERE campaign_id = 'first' ORDER BY 1",
      ),
    ).toEqual([
      [0, "none", "none", null, 0.5, 0.4, 10],
      [1, "accept", "promote", 0.5, 0.6, 0.5, 50],
      [2, "accept", "promote", 0.5, 0.7, 0.6, 50],
    ]);
  });

  test("rewards show each tier before and after; a soft tier has no single value", async () => {
    const { rows } = await sampleHistory();
    expect(
      await rows(
        "SELECT moment, tier, value, is_soft, rule FROM rewards WHERE campaign_id = 'first' AND iteration = 1 ORDER BY moment, tier",
      ),
    ).toEqual([
      ["after", "gold_write", 1, false, "within-task/1"],
      ["after", "read", -0.25, false, "within-task/1"],
      ["after", "soft_write", null, true, "within-task/1"],
      ["before", "gold_write", 1, false, "hand-set"],
      ["before", "read", 0, false, "hand-set"],
      ["before", "soft_write", null, true, "hand-set"],
    ]);
  });

  test("evaluations hold pass^k rows and paired differences", async () => {
    const { rows } = await sampleHistory();
    expect(
      await rows(
        "SELECT measure, k, against, round(value, 6), low IS NULL FROM evaluations WHERE campaign_id = 'first' AND iteration = 2 ORDER BY measure, k",
      ),
    ).toEqual([
      ["difference", 1, "base", 0.2, false],
      ["pass^1", 1, null, 0.7, false],
      ["pass^2", 2, null, 0.49, true],
    ]);
  });

  test("groups, trajectories and turns count the same rollouts", async () => {
    const { rows } = await sampleHistory();
    expect(await rows("SELECT count(*), sum(num_rollouts), sum(num_turns), bool_and(is_mixed) FROM groups")).toEqual([[16, 32, 96, true]]);
    expect(await rows("SELECT count(*), sum(num_turns), sum(reward) FROM trajectories")).toEqual([[32, 96, 16]]);
    expect(await rows("SELECT count(*), count(*) FILTER (has_tool_error), count(user_reply) FROM turns")).toEqual([[96, 32, 32]]);
  });

  test("every turn that was trained on has its credit, and no other has any", async () => {
    const { rows } = await sampleHistory();
    expect(
      await rows("SELECT count(*) FROM turns WHERE purpose = 'train' AND tier IS NULL OR purpose <> 'train' AND tier IS NOT NULL"),
    ).toEqual([[0]]);
    expect(await rows("SELECT turn_index, tier, turn_reward FROM turns WHERE tier IS NOT NULL GROUP BY ALL ORDER BY turn_index")).toEqual([
      [0, "gold_read", 0],
      [1, "error", 0.1],
      [2, "message", 0.2],
    ]);
  });

  test("a turn shows what was said and called", async () => {
    const { rows } = await sampleHistory();
    expect(
      await rows(
        "SELECT turn_index, tool_names, content, tool_calls[1].result FROM turns WHERE campaign_id = 'first' AND iteration = 1 AND task_id = 'train-1' AND trial = 0 ORDER BY turn_index",
      ),
    ).toEqual([
      [0, ["get_user_details"], null, '{"name":"Ana — Li"}'],
      [1, ["cancel_reservation"], null, "Error: not found"],
      [2, [], "Done.", null],
    ]);
  });

  test("trajectories that two campaigns share appear once in each", async () => {
    const { rows } = await sampleHistory();
    expect(await rows("SELECT campaign_id, count(*) FROM trajectories WHERE iteration = 0 GROUP BY 1 ORDER BY 1")).toEqual([
      ["first", 4],
      ["second", 4],
    ]);
  });

  test("an empty record has every table and no row", async () => {
    const { rows } = await openedHistory(join(temporaryFolder(), "not-made-yet"));
    for (const table of TABLES) expect(await rows(`SELECT count(*) FROM ${table}`), table).toEqual([[0]]);
    expect((await rows("SHOW TABLES")).flat()).toEqual(TABLES);
  });

  test("a campaign that cannot be read is listed with its problem and hides no other", async () => {
    const root = temporaryFolder();
    await writeSample(root);
    const path = join(root, "campaigns/second/campaign.json");
    chmodSync(path, 0o644);
    writeFileSync(path, "{");
    const { rows } = await openedHistory(root);
    expect(await rows("SELECT campaign_id, state, reason FROM campaigns ORDER BY 1")).toEqual([
      ["first", "completed", "maxIterations"],
      ["second", "unreadable", expect.stringContaining("campaigns/second/campaign.json")],
    ]);
  });

  test("a turn that holds half a surrogate pair is still readable in SQL", async () => {
    const root = temporaryFolder();
    const record = await writeSample(root);
    const policy = samplePolicy("a");
    const odd = sampleTrajectory("odd", 0, 1, policy);
    present(odd.turns[2]).content = "a\ud800b C:\\ud800 \u{1F6EB}";
    const group = present(await record.readGroup("first", 1, "train", "train-1"));
    await record.putGroup({ ...group, taskId: "odd", trajectories: await record.putTrajectories([odd]) });
    const { rows } = await openedHistory(root);
    expect(await rows("SELECT content FROM turns WHERE task_id = 'odd' AND turn_index = 2")).toEqual([["ab C:\\ud800 \u{1F6EB}"]]);
    expect(await record.readTrajectories(present(await record.readGroup("first", 1, "train", "odd")).trajectories)).toEqual([odd]);
  });
});

describe("read only", () => {
  test.each([
    ["DROP TABLE groups", /read only/],
    ["INSERT INTO groups SELECT * FROM groups", /read only/],
    ["CREATE TABLE x AS SELECT 1", /read only/],
    ["EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1", /read only/],
    ["SET enable_external_access = true", /configuration has been locked|read only/],
    ["INSTALL httpfs", /disabled|read only/],
    ["ATTACH '/tmp/x.db'", /disabled|read only/],
    ["SELECT * FROM read_text('/etc/hostname')", /disabled/],
    ["SELECT * FROM '/etc/passwd'", /disabled|does not exist/],
    ["SELECT 1; SELECT 2", /one statement/],
    ["SELEC 1", /syntax error/],
    ["SELECT nothing FROM campaigns", /nothing/],
    ["", /empty/],
  ])("%s is refused", async (sql, message) => {
    const { history } = await sampleHistory();
    await expect(history.query(sql)).rejects.toEqual(invalid(message));
  });

  test("nothing can be written into the record either", async () => {
    const { history } = await sampleHistory();
    await expect(history.query(`COPY (SELECT 1) TO '${sampleRoot}/x.csv'`)).rejects.toEqual(invalid(/read only/));
    expect(existsSync(join(sampleRoot, "x.csv"))).toBe(false);
  });

  test("many readers at once see the same", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const history = await openHistory(sampleRoot);
        const { rows } = await history.query("SELECT count(*), sum(num_turns) FROM trajectories");
        history.close();
        return JSON.stringify(rows);
      }),
    );
    expect(new Set(answers)).toEqual(new Set(["[[32,96]]"]));
  });
});

test("values come out as JSON that loses nothing", async () => {
  const { history } = await openedHistory(temporaryFolder());
  const { columns, rows } = await history.query(
    "SELECT 9007199254740993::BIGINT AS big, 7::BIGINT AS small, 'NaN'::DOUBLE AS nan, 1.25::DECIMAL(5,2) AS money, TIMESTAMP '2026-01-02 03:04:05' AS at, {'a': [1, NULL]} AS nested, MAP {'k': 1} AS map, DATE '2026-01-02' AS day",
  );
  expect(rows).toEqual([
    ["9007199254740993", 7, null, 1.25, "2026-01-02T03:04:05.000Z", { a: [1, null] }, [{ key: "k", value: 1 }], "2026-01-02T00:00:00.000Z"],
  ]);
  expect(columns[0]).toEqual({ name: "big", type: "BIGINT" });
});

test("the queries of docs/history.md run", async () => {
  const { history } = await sampleHistory();
  const text = readFileSync(new URL("../../../docs/history.md", import.meta.url), "utf8");
  const queries = [...text.matchAll(/```sql\n([\s\S]*?)```/g)].flatMap(([, block]) =>
    (block ?? "").split(";").filter((query) => query.trim() !== ""),
  );
  expect(queries.length).toBeGreaterThanOrEqual(4);
  for (const query of queries) await expect(history.query(query), query).resolves.toBeDefined();
});
