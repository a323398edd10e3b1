import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { type Change, followChanges } from "#adapters/record/changes.ts";
import { openRecord } from "#adapters/record/open-record.ts";
import type { CollectableStore } from "#core/ports.ts";
import { referencesIn } from "#core/retention/references.ts";
import { present } from "../../fixtures/present.ts";
import { writeSampleCampaign } from "../../fixtures/sample-record.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const namesOf = (changes: readonly Change[]) => changes.map(({ name }) => name);
const never = new AbortController().signal;

/** What a reader is told who starts with a cursor, at once. */
async function oneLook(store: Pick<CollectableStore, "listManifests" | "writtenAt">, after: string | null): Promise<readonly Change[]> {
  for await (const changes of followChanges(store, { after, signal: never })) return changes;
  throw new Error("the feed has ended by itself");
}

test("all that is in a record is told once, and what a name names can be read when it is told", async () => {
  const { store, record } = openRecord(temporaryFolder());
  await writeSampleCampaign(record, { id: "first" });
  const changes = await oneLook(store, null);
  expect(namesOf(changes).toSorted()).toEqual(await store.listManifests());
  for (const { name } of changes) {
    for (const { sha256, schema } of referencesIn(await store.read(name))) await store.getBlob({ uri: name, sha256, numBytes: 0, schema });
  }
});

test("a reader that goes on from its cursor is told what was written meanwhile, and little of what it knows", async () => {
  const { store, record } = openRecord(temporaryFolder());
  await writeSampleCampaign(record, { id: "first" });
  const before = await oneLook(store, null);
  await writeSampleCampaign(record, { id: "second" });
  const { cursor, name } = present(before.at(-1));
  const after = namesOf(await oneLook(store, cursor));
  const written = (await store.listManifests()).filter((found) => !namesOf(before).includes(found));
  expect(after).toEqual(expect.arrayContaining([name, ...written]));
  const at = await Promise.all(after.map((found) => store.writtenAt(found)));
  expect(Math.min(...at.map(Number))).toBe(await store.writtenAt(name));
  expect(at).toEqual(at.toSorted((one, other) => Number(one) - Number(other)));
});

test("one feed follows what this process and another one write, in order, each name once, until it is ended", async () => {
  const root = temporaryFolder();
  const { store, history } = openRecord(root);
  const end = new AbortController();
  const theirs = Array.from({ length: 5 }, (_, index) => `campaigns/theirs/${index}.json`);
  const ours = Array.from({ length: 5 }, (_, index) => `campaigns/ours/${index}.json`);
  const seen: string[] = [];
  let looks = 0;
  for await (const changes of history.changes({ after: null, signal: end.signal })) {
    looks += 1;
    if (looks === 1) {
      expect(changes).toEqual([]); // up to date at once
      const script = fileURLToPath(new URL("../../support/write-names.ts", import.meta.url));
      const child = spawn(process.execPath, [script, root, ...theirs], { stdio: "inherit" });
      onTestFinished(() => void child.kill());
      for (const name of ours) await store.putOnce(name, { report: await store.putBlob(Buffer.from(name), "Text/1") });
      expect(await once(child, "exit")).toEqual([0, null]);
    }
    for (const { name } of changes) {
      for (const { sha256, schema } of referencesIn(await store.read(name)))
        await store.getBlob({ uri: name, sha256, numBytes: 0, schema });
      seen.push(name);
    }
    if (seen.length === 10) end.abort();
  }
  expect(seen.filter((name) => ours.includes(name))).toEqual(ours);
  expect(seen.filter((name) => theirs.includes(name))).toEqual(theirs);
  expect(seen).toHaveLength(10);
});

test("a record that was copied to another place is told again from the beginning", async () => {
  const root = temporaryFolder();
  const { store, record } = openRecord(root);
  await writeSampleCampaign(record, { id: "first" });
  const last = present((await oneLook(store, null)).at(-1));
  const copy = join(temporaryFolder(), "copy");
  await cp(root, copy, { recursive: true, preserveTimestamps: true });
  const copied = openRecord(copy).store;
  await copied.putOnce("campaigns/first/late.json", {});
  expect(namesOf(await oneLook(copied, last.cursor)).toSorted()).toEqual(await copied.listManifests());
});

test.each(["", "0", "x-y", `1-${"g".repeat(64)}`, `-1-${"a".repeat(64)}`, `1-${"a".repeat(64)} `])("%j is no cursor", async (after) => {
  await expect(oneLook(openRecord(temporaryFolder()).store, after)).rejects.toEqual(expect.objectContaining({ code: "contract.invalid" }));
});

test("a store that cannot be read ends the feed with its reason", async () => {
  const failing = { listManifests: () => Promise.reject(new Error("the disk is away")), writtenAt: () => Promise.resolve(0) };
  await expect(oneLook(failing, null)).rejects.toThrow("the disk is away");
});

test("whatever the clock does and wherever a reader was interrupted, nothing is left out", async () => {
  const step = fc.record({ at: fc.integer({ min: 0, max: 3 }), numDealtWith: fc.nat(4) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const times = new Map<string, number>();
      const store = {
        listManifests: () => Promise.resolve([...times.keys()].sort()),
        writtenAt: (name: string) => Promise.resolve(times.get(name) ?? null),
      };
      const dealtWith = new Set<string>();
      let cursor: string | null = null;
      for (const [index, { at, numDealtWith }] of [...steps, { at: 0, numDealtWith: Infinity }].entries()) {
        if (index < steps.length) times.set(`n${index}.json`, at);
        for (const change of (await oneLook(store, cursor)).slice(0, numDealtWith)) {
          dealtWith.add(change.name);
          cursor = change.cursor;
        }
      }
      expect([...dealtWith].sort()).toEqual([...times.keys()].sort());
    }),
    { numRuns: 500 },
  );
});
