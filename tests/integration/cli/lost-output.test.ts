// Standard output that is full or closed: real processes, every command family that needs no service, text, JSON and help.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const COMMANDS: readonly string[] = [
  "--help",
  "campaign --help",
  "campaign list",
  "campaign start configs/campaigns/quickstart.yaml --dry-run",
  "history --json",
  "query",
  "query --csv 'SELECT 1'",
  "calibrate FILE --resamples 100",
  "advantages FILE --json",
  "testbed --seeds 1 --sizes 8 --resamples 100",
  "env check --task-set synthetic-airline",
  "policy show",
  "gc --dry-run",
  "rollouts export FILE --format tau2 --out OUT",
  "synthesize --per-cell 1 --writes 1 --evidence 1 --json",
  "simulator audit --tasks 1 --trials 2 --resamples 100",
];

/** Runs the command in a shell with its output led elsewhere; the answer is the exit code of the command and its standard error. */
function run(command: string, redirection: string) {
  const folder = temporaryFolder();
  const file = join(folder, "rollouts.jsonl");
  const messages = [
    { role: "user", content: "hi" },
    { role: "assistant", content: "yes" },
  ];
  writeFileSync(file, [0, 1].map((outcome) => JSON.stringify({ task_id: "t", messages, outcome })).join("\n"));
  const args = command.replace("FILE", file).replace("OUT", join(folder, "out.json"));
  const script = `set -o pipefail; '${process.execPath}' src/cli/main.ts ${args} ${redirection}`;
  const env = { ...process.env, TURNWISE_HOME: join(folder, "home"), NO_COLOR: "1" };
  const { status, stderr } = spawnSync("bash", ["-c", script], { cwd: REPOSITORY, env, encoding: "utf8", timeout: 300_000 });
  return { status, stderr };
}

describe.each(COMMANDS)("turnwise %s", (command) => {
  test("into a full disk fails with one sentence", { timeout: 300_000 }, () => {
    const { status, stderr } = run(command, "> /dev/full");
    expect(stderr).toContain("standard output cannot be written: ENOSPC");
    expect(stderr).not.toMatch(/\n\s+at |internal error|Unhandled|node:/);
    expect(status).toBe(4);
  });

  test("into a pipe that nobody reads ends quietly", { timeout: 300_000 }, () => {
    const { status, stderr } = run(command, "| :");
    expect(stderr).not.toMatch(/EPIPE|\n\s+at |internal error|Unhandled|node:|cannot be written/);
    expect(status).toBe(0);
  });
});

test.each([
  ["calibrate nothing.json", 2],
  ["campaign start nothing.yaml --json", 2],
  ["testbed --resamples 1e9", 2],
  ["unknown-command", 64],
])("a failure keeps its exit code where neither stream can be written: %s", { timeout: 300_000 }, (command, code) => {
  expect(run(command, "> /dev/full 2> /dev/full").status).toBe(code);
  expect(run(command, "2>&1 | :").status).toBe(code);
});
