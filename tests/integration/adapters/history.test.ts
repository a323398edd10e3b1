import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { openRecord } from "#adapters/record/open-record.ts";
import { tierQuery } from "../../../src/cli/commands/quickstart.ts";
import { present } from "../../fixtures/present.ts";
import { samplePolicy, sampleTrajectory, writeSampleCampaign, writeSampleFork } from "../../fixtures/sample-record.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const TABLES = [
  "campaigns",
  "evaluation_tasks",
  "evaluations",
  "groups",
  "iterations",
  "meters",
  "metrics",
  "rewards",
  "stages",
  "steering",
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
  const history = await openRecord(root).history.open();
  onTestFinished(() => history.close());
  return { history, rows: async (sql: string) => (await history.query(sql)).rows };
}

describe("tables", () => {
  test("campaigns stand beside each other by their tests; what selected them stands under its own name", async () => {
    const { rows } = await sampleHistory();
    expect(
      await rows(
        `SELECT campaign_id, state, num_iterations, final_iteration, test_base_pass_rate, test_pass_rate, round(difference, 6), p_value, detectable_difference,
         selection_base_pass_rate, selection_pass_rate, seconds FROM campaigns ORDER BY 1`,
      ),
    ).toEqual([
      ["first", "completed", 2, 2, 0.4, 0.5, 0.1, 0.25, 0.3, 0.5, 0.7, 181],
      ["second", "open", 1, 1, null, null, null, null, null, 0.5, 0.6, 115],
    ]);
    expect(await rows("SELECT campaign_id, no_test_reason FROM campaigns ORDER BY 1")).toEqual([
      ["first", null],
      ["second", "the test is opened once, when the campaign ends"],
    ]);
  });

  test("no column of a campaign, an iteration or an evaluation names a pass rate without saying which", async () => {
    const { rows } = await sampleHistory();
    const named = await rows(
      `SELECT column_name FROM information_schema.columns WHERE table_name IN ('campaigns', 'iterations')
       AND column_name LIKE '%pass_rate%' AND NOT regexp_matches(column_name, '^(train|selection|test)_')`,
    );
    expect(named).toEqual([]);
    expect(await rows("SELECT DISTINCT purpose FROM evaluations UNION SELECT DISTINCT purpose FROM evaluation_tasks ORDER BY 1")).toEqual([
      ["selection"],
      ["test"],
    ]);
  });

  test("iterations carry the gate, the promotion and the selection with its interval", async () => {
    const { rows } = await sampleHistory();
    expect(
      await rows(
        "SELECT iteration, gate_decision, promotion, train_pass_rate, selection_pass_rate, round(selection_pass_rate_low, 6), seconds, owner_campaign_id FROM iterations WHERE campaign_id = 'first' ORDER BY 1",
      ),
    ).toEqual([
      [0, "none", "none", null, 0.5, 0.4, 10, "first"],
      [1, "accept", "promote", 0.5, 0.6, 0.5, 50, "first"],
      [2, "accept", "promote", 0.5, 0.7, 0.6, 50, "first"],
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
        "SELECT measure, k, against, round(value, 6), low IS NULL FROM evaluations WHERE campaign_id = 'first' AND iteration = 2 AND purpose = 'selection' ORDER BY measure, k",
      ),
    ).toEqual([
      ["difference", 1, "base", 0.2, false],
      ["pass^1", 1, null, 0.7, false],
      ["pass^2", 2, null, 0.49, true],
    ]);
  });

  test("the test is under the iterations that made its policies, in every table, and once", async () => {
    const { rows } = await sampleHistory();
    expect(
      await rows(
        "SELECT iteration, measure, round(value, 6) FROM evaluations WHERE campaign_id = 'first' AND purpose = 'test' ORDER BY 1, 2",
      ),
    ).toEqual([
      [0, "pass^1", 0.4],
      [0, "pass^2", 0.16],
      [2, "difference", 0.1],
      [2, "pass^1", 0.5],
      [2, "pass^2", 0.25],
    ]);
    expect(await rows("SELECT iteration, task_id, num_passes FROM evaluation_tasks WHERE purpose = 'test' ORDER BY 1")).toEqual([
      [0, "test-1", 1],
      [2, "test-1", 2],
    ]);
    expect(await rows("SELECT iteration, count(*) FROM groups WHERE purpose = 'test' GROUP BY 1 ORDER BY 1")).toEqual([
      [0, 2],
      [2, 2],
    ]);
    expect(await rows("SELECT count(*) FROM turns WHERE purpose = 'test'")).toEqual([[24]]);
    expect(await rows("SELECT campaign_id, iteration FROM stages WHERE stage = 'test'")).toEqual([["first", 2]]);
    expect(await rows("SELECT name, value FROM metrics WHERE name = 'test/pass_hat_1'")).toEqual([["test/pass_hat_1", 0.5]]);
  });

  test("what was said to a campaign, and what each party cost", async () => {
    const { rows } = await sampleHistory();
    expect(
      await rows("SELECT number, iteration, word, said_by, who, why, max_usd FROM steering WHERE campaign_id = 'first' ORDER BY number"),
    ).toEqual([
      [1, 1, "pause", "guard", "guard.budget", "10.00 USD reached the budget of 10", null],
      [2, 1, "budget", "person", "ana", "worth it", 300],
    ]);
    expect(await rows("SELECT party, calls, usd, gpu_seconds FROM meters WHERE campaign_id = 'first' ORDER BY 1")).toEqual([
      ["policy", 96, 0, 8],
      ["proposer", 0, 0, 0],
      ["trainer", 0, 0, 0],
      ["user", 16, 0.16, 0],
    ]);
    expect(
      await rows("SELECT sum(user_usd), sum(policy_gpu_seconds) FROM groups WHERE campaign_id = 'first' AND purpose = 'test'"),
    ).toEqual([[0.16, 8]]);
  });

  test("a fork has its parent's iterations; their groups, their cost and their time stay the parent's", async () => {
    const root = temporaryFolder();
    await writeSampleFork(await writeSample(root), "first", "fork", 1);
    const { rows } = await openedHistory(root);
    expect(await rows("SELECT iteration, owner_campaign_id FROM iterations WHERE campaign_id = 'fork' ORDER BY 1")).toEqual([
      [0, "first"],
      [1, "first"],
      [2, "fork"],
    ]);
    expect(await rows("SELECT DISTINCT iteration FROM groups WHERE campaign_id = 'fork'")).toEqual([[2]]);
    expect(
      await rows(
        `SELECT iterations.iteration, count(*) FROM iterations JOIN groups ON groups.campaign_id = owner_campaign_id AND groups.iteration = iterations.iteration
         WHERE iterations.campaign_id = 'fork' AND purpose <> 'test' GROUP BY 1 ORDER BY 1`,
      ),
    ).toEqual([
      [0, 2],
      [1, 4],
      [2, 4],
    ]);
    expect(
      await rows(
        "SELECT parent_campaign_id, parent_iteration, model_calls, usd, running_seconds, seconds, final_iteration FROM campaigns WHERE campaign_id = 'fork'",
      ),
    ).toEqual([["first", 1, 28, 0.04, 50, 0, 2]]);
  });

  test("groups, trajectories and turns count the same rollouts", async () => {
    const { rows } = await sampleHistory();
    expect(await rows("SELECT count(*), sum(num_rollouts), sum(num_turns), bool_and(is_mixed) FROM groups")).toEqual([[20, 40, 120, true]]);
    expect(await rows("SELECT count(*), sum(num_turns), sum(reward) FROM trajectories")).toEqual([[40, 120, 20]]);
    expect(await rows("SELECT count(*), count(*) FILTER (has_tool_error), count(user_reply) FROM turns")).toEqual([[120, 40, 40]]);
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
      ["first", 8],
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

test("a blob that does not hold its bytes is told by its name to who asks for rollouts, and to nobody else", async () => {
  const root = temporaryFolder();
  const record = await writeSample(root);
  const { trajectories } = present(await record.readGroup("first", 1, "train", "train-1"));
  chmodSync(join(root, trajectories.uri), 0o644);
  writeFileSync(join(root, trajectories.uri), "PAR1");
  const { history, rows } = await openedHistory(root);
  expect(await rows("SELECT count(*) FROM groups")).toEqual([[20]]);
  const corrupt = expect.objectContaining({ code: "store.corrupt", message: expect.stringContaining(trajectories.sha256) });
  await expect(history.query("SELECT count(*) FROM trajectories")).rejects.toEqual(corrupt);
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
    await expect(history.query(`COPY (SELECT 1) TO '${sampleRoot}/x.csv'`)).rejects.toEqual(invalid(/disabled|read only/));
    expect(existsSync(join(sampleRoot, "x.csv"))).toBe(false);
  });

  test("no file is read but the rollouts', whether a query asks for rollouts or not", async () => {
    const { history } = await sampleHistory();
    const manifest = `'${sampleRoot}/campaigns/first/campaign.json'`;
    for (const sql of [`FROM read_text(${manifest})`, `SELECT content FROM read_text(${manifest}), (SELECT count(*) FROM turns)`])
      await expect(history.query(sql)).rejects.toEqual(invalid(/disabled/));
  });

  test.each(["FROM trajectories", "FROM query_table('tra' || 'jectories')", "FROM query('FROM turn' || 's')", 'FROM "turns"'])(
    "rollouts are there however a query names them: %s",
    async (from) => {
      const { rows } = await sampleHistory();
      expect((await rows("SELECT count(*) FROM groups"))[0]).toEqual([20]);
      expect((await rows(`SELECT count(*) > 0 ${from}`))[0]).toEqual([true]);
    },
  );

  test("many readers at once see the same", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const history = await openRecord(sampleRoot).history.open();
        const { rows } = await history.query("SELECT count(*), sum(num_turns) FROM trajectories");
        history.close();
        return JSON.stringify(rows);
      }),
    );
    expect(new Set(answers)).toEqual(new Set(["[[40,120]]"]));
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

test("the query that the quickstart ends with finds the turns that were trained on", async () => {
  const { rows } = await sampleHistory();
  expect((await rows(tierQuery("first"))).map(([tier, turns]) => [tier, turns]).sort()).toEqual([
    ["error", 8],
    ["gold_read", 8],
    ["message", 8],
  ]);
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
