import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { workflowBundle } from "../../../workers/workflow-bundle.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const log = { warn: vi.fn() };

test("the bundle of the workflows is made once and kept until a source changes", { timeout: 120_000 }, async () => {
  const folder = join(temporaryFolder(), "workflows");
  mkdirSync(folder);
  writeFileSync(join(folder, "of-other-sources.js"), "old");
  const first = await workflowBundle(log, folder);
  const codePath = "codePath" in first ? first.codePath : "";
  expect(readFileSync(codePath, "utf8")).toContain("campaign");
  expect(readdirSync(folder)).toHaveLength(1);
  const { mtimeMs } = statSync(codePath);
  expect(await workflowBundle(log, folder)).toEqual(first);
  expect(statSync(codePath).mtimeMs).toBe(mtimeMs);
  expect(log.warn).not.toHaveBeenCalled();
});

test("where it cannot be kept it is made all the same, and that is said", { timeout: 120_000 }, async () => {
  const inTheWay = join(temporaryFolder(), "file");
  writeFileSync(inTheWay, "");
  expect(await workflowBundle(log, inTheWay)).toHaveProperty("code");
  expect(log.warn).toHaveBeenCalledOnce();
});
