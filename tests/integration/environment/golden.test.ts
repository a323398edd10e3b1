import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkConformance, type FileConformance } from "#adapters/task-data/conformance.ts";
import { because, MISSING, TAU_BENCH } from "./tau-bench-data.ts";

async function run(directory: string): Promise<FileConformance[]> {
  const files: FileConformance[] = [];
  for await (const file of checkConformance(directory, TAU_BENCH)) files.push(file);
  return files;
}

describe.skipIf(MISSING !== null)(`golden vectors${because}`, () => {
  it.each([
    ["airline", 1933],
    ["calculate", 1920],
    ["retail", 2177],
    ["tau2-airline", 390],
  ])("every vector of %s passes", async (domain, numVectors) => {
    const files = await run(join(TAU_BENCH, "golden", domain));
    expect(files.flatMap(({ file, failures }) => failures.map((failure) => ({ file, ...failure })))).toEqual([]);
    expect(files.reduce((sum, { passed }) => sum + passed, 0)).toBe(numVectors);
  });
});

describe.skipIf(MISSING !== null)(`vectors that are wrong${because}`, () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "turnwise-vectors-"));
    await mkdir(join(folder, "airline"));
    const call = (observation: string) => ({ name: "think", kwargs: { thought: "x" }, observation });
    const vector = (fields: object) => JSON.stringify({ id: "airline-fuzz-1", calls: [call("")], ...fields });
    await writeFile(
      join(folder, "airline", "fuzz-2.jsonl"),
      [
        vector({}),
        vector({ calls: [call("thought")] }),
        vector({ db_sha256: "0".repeat(64) }),
        vector({ tau_hash: "0".repeat(64) }),
        "{",
        JSON.stringify({ expression: "1 + 1", observation: "3.0" }),
        JSON.stringify({ id: "airline-reward-1", task_index: 0, actions: [], done_at: null, reward: 1.0 }),
        JSON.stringify({ id: "airline-what-1" }),
      ].join("\n"),
    );
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("fail with their line and the first difference; the right ones pass", async () => {
    const [file] = await run(folder);
    expect(file?.passed).toBe(1);
    expect(file?.failures.map(({ line, difference }) => [line, difference.split(":")[0]])).toEqual([
      [2, "call 0 think"],
      [3, "db_sha256"],
      [4, "tau_hash"],
      [5, "the line is not JSON"],
      [6, "calculate"],
      [7, "reward"],
      [8, "unknown form"],
    ]);
  });
});
