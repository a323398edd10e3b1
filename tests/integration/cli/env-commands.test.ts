import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { because, MISSING, TAU_BENCH } from "../environment/tau-bench-data.ts";

/** Runs the command line with tau-bench's data at `data`; empty when there is none. */
function turnwise(args: readonly string[], data = "") {
  const env = { TURNWISE_HOME: join(temporaryFolder(), "home"), TURNWISE_TAU_BENCH: data };
  return execa(process.execPath, [join(REPOSITORY, "src/cli/main.ts"), "env", ...args], { env, reject: false });
}

/** A folder with one file of vectors, one per line. */
function vectors(file: string, lines: readonly object[]): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, file, ".."), { recursive: true });
  writeFileSync(join(folder, file), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return folder;
}

const RIGHT = { expression: "1 + 1", observation: "2.0" };
const WRONG = { expression: "0.1 + 0.2", observation: "0.31" };

describe("turnwise env conformance", () => {
  it("closes with the counts and exits 0 when every vector passes", async () => {
    const { stdout, exitCode } = await turnwise(["conformance", vectors("calculate/a.jsonl", [RIGHT, RIGHT])]);
    expect(stdout.split("\n").at(-1)).toBe("2 passed, 0 failed");
    expect(exitCode).toBe(0);
  });

  it("shows the first difference of a failure, closes with the counts and exits 1", async () => {
    const { stdout, exitCode } = await turnwise(["conformance", vectors("calculate/a.jsonl", [RIGHT, WRONG])]);
    expect(stdout).toContain('line 2 : calculate: expected "0.31", got "0.3"');
    expect(stdout.split("\n").at(-1)).toBe("1 passed, 1 failed");
    expect(exitCode).toBe(1);
  });

  it("gives all of it as JSON", async () => {
    const { stdout } = await turnwise(["conformance", vectors("calculate/a.jsonl", [RIGHT, WRONG]), "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ passed: 1, failed: 1, files: [{ file: "calculate/a.jsonl", failures: [{ line: 2 }] }] });
  });

  it.each([
    ["no folder", () => "/nowhere"],
    ["a folder without vectors", () => temporaryFolder()],
    ["vectors of a domain whose data is not known", () => vectors("airline/a.jsonl", [{ calls: [] }])],
  ])("refuses %s with a next step", async (_, folder) => {
    const { stderr, exitCode } = await turnwise(["conformance", folder()]);
    expect(stderr).toContain("environment.data-missing");
    expect(stderr).toContain("next:");
    expect(exitCode).toBe(4);
  });
});

describe("turnwise env check", () => {
  it("checks the built-in tasks without any data", async () => {
    const { stdout, exitCode } = await turnwise(["check"]);
    expect(stdout).toContain("synthetic-airline");
    expect(exitCode).toBe(0);
  });

  it("refuses an unknown task set by name", async () => {
    const { stderr, exitCode } = await turnwise(["check", "--task-set", "airlines"]);
    expect(stderr).toContain("unknown task set airlines");
    expect(exitCode).toBe(2);
  });

  it.skipIf(MISSING !== null)(`shows the do-nothing floor of every task set and names known defects${because}`, async () => {
    const { stdout, exitCode } = await turnwise(["check"], TAU_BENCH);
    expect(stdout).toMatch(/tau-bench-airline +50 +50 +38\.0 %/);
    expect(stdout).toMatch(/retail-test-106 +known +a golden write is refused/);
    expect(stdout).not.toContain("NEW");
    expect(exitCode).toBe(0);
  });
});
