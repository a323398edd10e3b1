import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { TaskFile } from "#contracts/task-file.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { because, MISSING, TAU_BENCH } from "../environment/tau-bench-data.ts";

/** Runs the command line as a new user does: an empty home, no data. */
function synthesize(args: readonly string[], data = "") {
  const env = { TURNWISE_HOME: join(temporaryFolder(), "home"), TURNWISE_TAU_BENCH: data };
  return execa(process.execPath, [join(REPOSITORY, "src/cli/main.ts"), "synthesize", ...args], { env, reject: false });
}

describe("turnwise synthesize", () => {
  test("prints the grid and what was checked, without any data or option", async () => {
    const { stdout, exitCode } = await synthesize([]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/w \\ e +0 +1 +2 +3 +4 +5 +6 +refusals/);
    for (const writes of [0, 1, 2, 3, 4, 5]) expect(stdout).toMatch(new RegExp(`^${writes}( +4){7} +\\d+$`, "m"));
    expect(stdout).toMatch(/golden actions verified +168 of 168/);
    expect(stdout).toMatch(/shortest and order-free +140 of 140 with writes/);
    expect(stdout).toMatch(/passed with the scripted user +168 of 168/);
    expect(stdout).toMatch(/split by user +\d+ train, \d+ selection, \d+ test/);
    expect(stdout).toContain("--out FILE keeps the tasks");
  });

  test("writes the same bytes for the same options, in the published schema", async () => {
    const folder = temporaryFolder();
    const args = ["--writes", "0,2", "--evidence", "1-2", "--per-cell", "2"];
    const paths = [join(folder, "a", "tasks.json"), join(folder, "b.json")];
    for (const path of paths) expect((await synthesize([...args, "--out", path])).stdout).toContain(`wrote ${path}`);
    const [first, second] = paths.map((path) => readFileSync(path, "utf8"));
    expect(first).toBe(second);
    const file = TaskFile.parse(JSON.parse(first ?? ""));
    expect(file.tasks).toHaveLength(8);
  });

  test("gives counts and cells as JSON", async () => {
    const { stdout } = await synthesize(["--writes", "1", "--evidence", "2", "--per-cell", "3", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      database: { name: "synthetic-airline", seed: 1 },
      counts: { tasks: 3, verified: 3 },
      cells: [{ writes: 1, evidence: 2, wanted: 3, made: 3, missing: null }],
      written: [],
    });
  });

  test("says plainly which cells stay unfilled", async () => {
    const { stdout, exitCode } = await synthesize(["--writes", "5", "--evidence", "6", "--per-cell", "300"]);
    expect(stdout).toMatch(/^5 +\d+\/300 /m);
    expect(stdout).toMatch(/w=5 e=6 +\d+ of 300: only \d+ of the 500 users have such wishes/);
    expect(exitCode).toBe(0);
  });

  test.each([
    ["--writes 6", ["--writes", "6"], /--writes: 6 is not a number from 0 to 5/],
    ["--writes 3-1", ["--writes", "3-1"], /--writes: 3-1 is not a number/],
    ["--evidence many", ["--evidence", "many"], /--evidence: many is not a number from 0 to 6/],
    ["--per-cell 0", ["--per-cell", "0"], /--per-cell: /],
    ["--refusals 2", ["--refusals", "2"], /--refusals: /],
    ["--train-share 1", ["--train-share", "1"], /--train-share: /],
    ["--selection-share 1", ["--selection-share", "1"], /--selection-share: /],
    ["--seed x", ["--seed", "x"], /--seed: /],
    ["--database moon", ["--database", "moon"], /--database: moon is none of synthetic-airline, tau-bench-airline/],
    ["--contaminated keep", ["--contaminated", "keep"], /--contaminated: /],
    ["--format yaml", ["--format", "yaml"], /--format: /],
    ["--format tau2 without a folder", ["--format", "tau2"], /--format tau2 needs --out FOLDER/],
  ])("refuses %s and says what is allowed", async (_, args, message) => {
    const { stderr, stdout, exitCode } = await synthesize([...args, "--json"]);
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string; next: string } };
    expect(error.code).toBe("config.invalid");
    expect(error.message).toMatch(message);
    expect(error.next).toMatch(/turnwise synthesize|--help/);
    expect(exitCode).toBe(2);
    expect(stdout).toBe("");
  });

  test.each([
    ["no folder", () => []],
    ["a folder that is not there", () => ["--data", "/nowhere"]],
    ["an empty folder", () => ["--data", temporaryFolder()]],
  ])("refuses a benchmark's database with %s", async (_, args) => {
    const { stderr, exitCode } = await synthesize(["--database", "tau-bench-airline", ...args()]);
    expect(stderr).toContain("environment.data-missing");
    expect(stderr).toContain("next:");
    expect(exitCode).toBe(4);
  });

  test("refuses a data folder that is not there even for the built-in airline, whose tasks would be compared with nothing", async () => {
    const { stderr, exitCode } = await synthesize(["--writes", "0", "--evidence", "0", "--data", "/nowhere"]);
    expect(stderr).toContain("no data folder at /nowhere");
    expect(exitCode).toBe(4);
  });

  test("refuses a database that is broken, naming the file", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "retail"));
    writeFileSync(join(folder, "retail", "orders.json"), "{");
    const { stderr, exitCode } = await synthesize(["--database", "tau-bench-retail", "--data", folder]);
    expect(stderr).toMatch(/environment\.data-(corrupt|missing)/);
    expect(stderr).toContain(folder);
    expect(exitCode).toBe(4);
  });

  test("refuses an --out that cannot be written", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    const { stderr, exitCode } = await synthesize(["--writes", "0", "--evidence", "0", "--out", join(file, "tasks.json")]);
    expect(stderr).toContain(`cannot write ${join(file, "tasks.json")}`);
    expect(exitCode).toBe(2);
  });

  test.skipIf(MISSING !== null)(`writes tau2's files beside a note on whose rules they were verified with${because}`, async () => {
    const out = temporaryFolder();
    const { stdout } = await synthesize(["--writes", "1", "--evidence", "2", "--format", "tau2", "--out", out], TAU_BENCH);
    expect(existsSync(join(out, "tau2-airline", "split_tasks.json"))).toBe(true);
    expect(stdout).toContain("note: verified with tau-bench's tools and policy");
  });
});
