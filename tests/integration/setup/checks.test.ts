// The checks check: import rules refuse what they should, and tests are counted as they were.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { add, readPytest, readVitest } from "../../../infra/checks/counts.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "turnwise-checks-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): string {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
  return join(folder, path);
}

describe("import rules", () => {
  beforeEach(() => {
    for (const file of [".dependency-cruiser.cjs", "tsconfig.json", "package.json"]) cpSync(join(REPOSITORY, file), join(folder, file));
    symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
    for (const path of [
      "src/contracts/a",
      "src/core/a",
      "src/adapters/a",
      "activities/a",
      "workers/a",
      "workflows/a",
      "workflows/messages",
      "tests/a",
    ]) {
      write(`${path}.ts`, "export const a = 1;\nexport type A = number;\n");
    }
  });

  /** Names of the rules that one more file breaks. */
  function broken(path: string, text: string): string[] {
    write(path, text);
    const args = ["src", "activities", "workers", "workflows", "--output-type", "json", "--config", ".dependency-cruiser.cjs"];
    const output = (() => {
      try {
        return execFileSync(join(REPOSITORY, "node_modules/.bin/depcruise"), args, { cwd: folder, encoding: "utf8", stdio: "pipe" });
      } catch (error) {
        return (error as { stdout: string }).stdout;
      }
    })();
    const { summary } = JSON.parse(output) as { summary: { violations: { rule: { name: string } }[] } };
    return [...new Set(summary.violations.map(({ rule }) => rule.name))].sort();
  }

  test.each([
    ["contracts-import-zod-only", "src/contracts/b.ts", 'import { a } from "#core/a.ts"; export const b = a;'],
    ["core-is-pure", "src/core/b.ts", 'import fs from "node:fs"; export const b = fs;'],
    ["core-is-pure", "src/core/b.ts", 'import { a } from "#adapters/a.ts"; export const b = a;'],
    ["workflows-stay-durable", "workflows/b.ts", 'import fs from "node:fs"; export const b = fs;'],
    ["activities-by-type-only", "workflows/b.ts", 'import { a } from "../activities/a.ts"; export const b = a;'],
    ["adapters-know-no-temporal", "src/adapters/b.ts", 'import { Client } from "@temporalio/client"; export const b = Client;'],
    ["adapters-are-injected", "activities/b.ts", 'import { a } from "#adapters/a.ts"; export const b = a;'],
    ["workers-compose", "workers/b.ts", 'import { a } from "#core/a.ts"; export const b = a;'],
    ["fronts-stay-outside", "src/cli/b.ts", 'import { a } from "../../activities/a.ts"; export const b = a;'],
    ["fronts-stand-on-use-cases", "src/cli/b.ts", 'import { a } from "#adapters/a.ts"; export const b = a;'],
    ["fronts-stand-on-use-cases", "src/cli/b.ts", 'import type { A } from "#adapters/a.ts"; export type B = A;'],
    ["fronts-stand-on-use-cases", "src/cli/b.ts", 'import { a } from "../../workflows/messages.ts"; export const b = a;'],
    ["use-cases-print-nothing", "src/application/b.ts", 'import { Command } from "commander"; export const b = Command;'],
    ["only-messages-cross", "src/application/b.ts", 'import { a } from "../../workflows/a.ts"; export const b = a;'],
    ["nothing-imports-tests", "src/cli/b.ts", 'import { a } from "../../tests/a.ts"; export const b = a;'],
    ["no-unresolved", "src/cli/b.ts", 'import { a } from "./nowhere.ts"; export const b = a;'],
    ["no-undeclared-packages", "src/adapters/b.ts", 'import { test } from "vitest"; export const b = test;'],
    ["no-cycles", "src/cli/b.ts", 'import { c } from "./b.ts"; export const c2 = c; export const c = 1;'],
  ])("%s: %s", (rule, path, text) => {
    expect(broken(path, text)).toContain(rule);
  });

  test("what the table allows passes", () => {
    write("workflows/types.ts", 'import type { A } from "../activities/a.ts"; export type B = A;');
    write("src/core/seed.ts", 'import { z } from "zod"; import { sha256 } from "@noble/hashes/sha2.js"; export const b = [z, sha256];');
    write("activities/port.ts", 'import type { A } from "#adapters/a.ts"; import { a } from "#core/a.ts"; export const b: A = a;');
    expect(
      broken(
        "src/application/b.ts",
        'import { a } from "../../workflows/messages.ts"; import { a as c } from "#adapters/a.ts"; export const b = a + c;',
      ),
    ).toEqual([]);
  });
});

test("a test file that could not be loaded counts as a failure", () => {
  const file = (status: string, ...statuses: string[]) => ({ status, assertionResults: statuses.map((each) => ({ status: each })) });
  const testResults = [file("passed", "passed", "passed", "pending"), file("failed"), file("failed", "passed", "failed", "failed")];
  expect(readVitest(write("vitest.json", JSON.stringify({ testResults })))).toEqual({ passed: 3, failed: 3, skipped: 1 });
});

test("errors of Python tests count as failures, skipped ones neither way", () => {
  const report =
    '<testsuites name="x"><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10" time="1.5" hostname="h"><testcase/></testsuite></testsuites>';
  expect(readPytest(write("pytest.xml", report))).toEqual({ passed: 4, failed: 3, skipped: 3 });
});

test("without a report there are no tests, and counts add up", () => {
  expect(add(readVitest(join(folder, "none")), readPytest(join(folder, "none")))).toEqual({ passed: 0, failed: 0, skipped: 0 });
});
