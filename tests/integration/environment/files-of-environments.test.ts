// Files that an environment of the campaign file names: one that cannot be read, or is no text, is told with its path, whatever environment asks for it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { environmentResources } from "#adapters/environment-resources/environment-resources.ts";
import { openTaskSet, pinEnvironment } from "#adapters/task-data/open-task-set.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "turnwise-files-"));
  writeFileSync(join(folder, "latin-1.jsonl"), Buffer.from('{"question": "caf\xe9?", "answer": 1}\n', "latin1"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ENVIRONMENTS: readonly (readonly [type: string, naming: (path: string) => { type: string }])[] = [
  ["code-reasoning", (path) => ({ type: "code-reasoning", tasks: { source: "file", path } })],
  ["task-file", (path) => ({ type: "task-file", path })],
];

describe.each(ENVIRONMENTS)("%s", (_, naming) => {
  test.each(["nowhere.jsonl", "."])("is refused with the path %s, before a campaign starts and when it opens", async (name) => {
    const path = join(folder, name);
    const missing = { code: "config.file-missing", message: expect.stringContaining(path), next: expect.stringMatching(/.{10}/) };
    await expect(pinEnvironment(naming(path), { home: folder, tauBench: null })).rejects.toMatchObject(missing);
    await expect(openTaskSet(naming(path), { home: folder, tauBench: null })).rejects.toMatchObject(missing);
  });

  test("is refused with a file that is no UTF-8: no letter of it is guessed", async () => {
    const path = join(folder, "latin-1.jsonl");
    const wrong = { code: "contract.invalid", message: `${path} is no UTF-8 text` };
    await expect(openTaskSet(naming(path), { home: folder, tauBench: null })).rejects.toMatchObject(wrong);
  });
});

test("every environment's file is read so", async () => {
  const reading = environmentResources(null).readFile(join(folder, "nowhere.jsonl"));
  await expect(reading).rejects.toMatchObject({ code: "config.file-missing", message: expect.stringContaining("ENOENT") });
});
