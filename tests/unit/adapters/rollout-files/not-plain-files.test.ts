// Pipes, links and what else may lie under the name of a file.
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readRollouts } from "#adapters/rollout-files/read-rollouts.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "not-plain-"));
});
afterAll(() => rm(folder, { recursive: true }));

const line = (id: string) => `${JSON.stringify({ task_id: id, outcome: 1, messages: [{ role: "user", content: id }] })}\n`;
const read = (...paths: string[]) => readRollouts(paths, { catalog: createToolCatalog({}), tasks: null });

test("a pipe that is named is read as the file would be, however its bytes come", async () => {
  const [file, pipe] = [join(folder, "file.jsonl"), join(folder, "pipe.jsonl")];
  await writeFile(file, line("a") + line("b"));
  execFileSync("mkfifo", [pipe]);
  const [fromPipe] = await Promise.all([read(pipe), writeInParts(pipe, [line("a").slice(0, 2), line("a").slice(2), line("b")])]);
  const fromFile = await read(file);
  expect(fromPipe.bufferSha256).toBe(fromFile.bufferSha256);
  expect(fromPipe.rollouts.map(({ task }) => task.id)).toEqual(["a", "b"]);
});

async function writeInParts(path: string, parts: readonly string[]): Promise<void> {
  const { open } = await import("node:fs/promises");
  const file = await open(path, "w");
  for (const part of parts) await file.write(part);
  await file.close();
}

test("a folder is read through its links, once; pipes and links to nowhere are named, and nothing waits for them", async () => {
  const [runs, elsewhere] = [join(folder, "runs"), join(folder, "elsewhere")];
  await mkdir(runs);
  await mkdir(elsewhere);
  await writeFile(join(runs, "a.jsonl"), line("a"));
  await writeFile(join(elsewhere, "b.jsonl"), line("b"));
  await symlink(elsewhere, join(runs, "linked"));
  await symlink(runs, join(elsewhere, "back"));
  await symlink(join(folder, "nowhere"), join(runs, "lost.json"));
  execFileSync("mkfifo", [join(runs, "waits.jsonl")]);
  const { rollouts, reading } = await read(runs);
  expect(rollouts.map(({ task }) => task.id).sort()).toEqual(["a", "b"]);
  expect(Object.keys(reading.unread ?? {})).toEqual([join(runs, "lost.json"), join(runs, "waits.jsonl")]);
  expect(reading.files).toBe(4);
});
