import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRecord, STORES } from "#adapters/record/open-record.ts";
import { MemoryPlace, openMemory } from "../../../examples/stores/memory-store.ts";
import { present } from "../../fixtures/present.ts";
import { writeSampleCampaign } from "../../fixtures/sample-record.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { artifactStoreLaws } from "../../laws/artifact-store.ts";

artifactStoreLaws("file:", () => {
  const root = join(temporaryFolder(), "record");
  return {
    open: () => openRecord(root),
    damage: (name, bytes) => {
      chmodSync(join(root, name), 0o644);
      writeFileSync(join(root, name), bytes);
    },
  };
});

artifactStoreLaws("docs/extending/store.md", () => {
  const place = new MemoryPlace();
  return {
    open: () => openMemory(place),
    damage: (name, bytes) => {
      const sha256 = name.slice(name.lastIndexOf("/") + 1);
      if (name.startsWith("blobs/")) place.blobs.set(sha256, { content: bytes, at: Date.now() });
      else place.manifests.set(name, { content: Buffer.from(bytes).toString(), at: Date.now() });
    },
  };
});

test("the store of docs/extending/store.md is the one that was tried, and is opened by its address", async () => {
  const text = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
  const [, block] = /```ts\n([\s\S]*?)```/.exec(text("docs/extending/store.md")) ?? [];
  expect(block).toBe(text("examples/stores/memory-store.ts"));
  const place = new MemoryPlace();
  const { record, history } = openRecord("memory:", { ...STORES, "memory:": () => openMemory(place) });
  await writeSampleCampaign(record, { id: "first" });
  const opened = await history.open();
  expect((await opened.query("SELECT count(*) FROM trajectories")).rows).toEqual([
    [present((await opened.query("SELECT sum(num_rollouts) FROM groups")).rows[0])[0]],
  ]);
  opened.close();
});
