// What every store of a record must do, wherever it keeps its bytes. A store's own test calls `artifactStoreLaws` with a way to open it.
import { readFileSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { followChanges } from "#adapters/record/changes.ts";
import type { OpenedStore } from "#adapters/record/open-record.ts";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import { canonicalJson } from "#core/canonical-json.ts";
import type { ArtifactStore, JournalEntry } from "#core/ports.ts";
import { present } from "../fixtures/present.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

/** An empty place for one test. */
export interface Place {
  /** One more opening of the same place, as another process would make it. */
  open(): OpenedStore;
  /** Puts other bytes under the name of a blob or a manifest, behind the store's back. */
  damage(name: string, bytes: Uint8Array): Promise<void> | void;
}

const HOUR = 3_600_000;
const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = async (store: ArtifactStore, ref: ArtifactRef) => Buffer.from(await store.getBlob(ref)).toString();
const code = (value: string) => expect.objectContaining({ code: value });
const refOf = (sha256: string): ArtifactRef => ({ uri: "x", sha256, numBytes: 1, schema: "Text/1" });
const JOURNAL = "campaigns/demo/iterations/0001/turns/train/cancel-3/0-0.jsonl";

function fileOf(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), "file");
  writeFileSync(path, bytes);
  return path;
}

/** Runs the laws as tests, under the name of the store. `makePlace` is asked for a new place in every test. */
export function artifactStoreLaws(name: string, makePlace: () => Promise<Place> | Place): void {
  const open = async () => (await makePlace()).open().store;
  describe(`a store (${name})`, () => {
    describe("blobs", () => blobLaws(makePlace, open));
    describe("removal of blobs", () => removalLaws(open));
    describe("manifests", () => manifestLaws(makePlace, open));
    describe("names", () => nameLaws(makePlace));
    describe("lists", () => listLaws(makePlace, open));
    describe("journals", () => journalLaws(makePlace));
    describe("changes", () => changeLaws(makePlace));
  });
}

function blobLaws(makePlace: () => Promise<Place> | Place, open: () => Promise<ArtifactStore>): void {
  test.each([0, 1, 4095, 4096, 65_537, 5_000_000])("%i bytes come back as they went in, from memory and from a file", async (numBytes) => {
    const place = await makePlace();
    const { store } = place.open();
    const bytes = Uint8Array.from({ length: numBytes }, (_, index) => index * 7 + (index >> 8));
    const ref = await store.putBlob(bytes, "Data/1");
    expect(ref).toMatchObject({ numBytes, schema: "Data/1", uri: `blobs/sha256/${ref.sha256.slice(0, 2)}/${ref.sha256}` });
    expect(await store.putBlobFile(fileOf(bytes), "Data/1")).toEqual(ref);
    expect(Buffer.compare(await place.open().store.getBlob(ref), bytes)).toBe(0);
    expect(Buffer.compare(readFileSync(await place.open().store.localPath(ref)), bytes)).toBe(0);
    expect(await store.list("blobs")).toEqual([ref.uri]);
  });

  test("the hash is sha256, and other bytes are another blob", async () => {
    const store = await open();
    expect((await store.putBlob(bytesOf("hello"), "Text/1")).sha256).toBe(
      "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    );
    expect((await store.putBlob(bytesOf("hellO"), "Text/1")).sha256).not.toMatch(/^2cf24dba/);
    expect(await store.list("blobs")).toHaveLength(2);
  });

  test("what the caller does to its bytes, or to its file, afterwards is no matter of the blob's", async () => {
    const store = await open();
    const bytes = bytesOf("the caller's own");
    const ref = await store.putBlob(bytes, "Text/1");
    bytes.fill(0);
    (await store.getBlob(ref)).fill(0);
    expect(await textOf(store, ref)).toBe("the caller's own");
    const path = fileOf(bytesOf("a file"));
    const copied = await store.putBlobFile(path, "Text/1");
    await appendFile(path, ", changed");
    expect(await textOf(store, copied)).toBe("a file");
  });

  test("a file that is not there is a failure with a code", async () => {
    await expect((await open()).putBlobFile(join(temporaryFolder(), "none"), "Text/1")).rejects.toEqual(code("store.missing"));
  });

  test("many writers of the same bytes at once, through several openings, leave one whole blob", async () => {
    const place = await makePlace();
    const stores = [place.open().store, place.open().store, place.open().store];
    const refs = await Promise.all(Array.from({ length: 30 }, (_, index) => present(stores[index % 3]).putBlob(bytesOf("one"), "Text/1")));
    expect(new Set(refs.map(({ uri }) => uri)).size).toBe(1);
    expect(await textOf(place.open().store, present(refs[0]))).toBe("one");
  });

  test("no reader ever sees half a blob, however it reads", async () => {
    const place = await makePlace();
    const bytes = Buffer.alloc(3_000_000, "half");
    const { sha256, ...rest } = await place.open().store.putBlob(bytes, "Data/1");
    const ref = { ...rest, sha256 };
    const reader = place.open().store;
    let isWriting = true;
    const again = async () => {
      const writer = place.open().store;
      for (let round = 0; round < 10; round += 1) {
        if (round % 3 === 0) await writer.removeBlob(sha256, Date.now() + HOUR);
        await writer.putBlob(bytes, "Data/1");
      }
      isWriting = false;
    };
    const watch = async () => {
      do {
        const seen = await reader.getBlob(ref).catch((error: unknown) => expect(error).toEqual(code("store.missing")));
        if (seen instanceof Uint8Array) expect(Buffer.compare(seen, bytes)).toBe(0);
      } while (isWriting);
    };
    await Promise.all([again(), watch()]);
    expect(Buffer.compare(await reader.getBlob(ref), bytes)).toBe(0);
  });

  test.each(["hellO", "hell", "", "hello "])("bytes that are not those of the hash are never given: %j", async (other) => {
    const place = await makePlace();
    const ref = await place.open().store.putBlob(bytesOf("hello"), "Text/1");
    await place.damage(ref.uri, bytesOf(other));
    await expect(place.open().store.getBlob(ref)).rejects.toEqual(code("store.corrupt"));
    await expect(place.open().store.localPath(ref)).rejects.toEqual(code("store.corrupt"));
  });

  test("a blob that is not there is missing, to whoever asks", async () => {
    const store = await open();
    const missing = refOf("0".repeat(64));
    await expect(store.getBlob(missing)).rejects.toEqual(code("store.missing"));
    await expect(store.localPath(missing)).rejects.toEqual(code("store.missing"));
    expect(await store.touchBlob(missing.sha256)).toBe(false);
  });

  test.each(["../../etc/passwd", "", "A".repeat(64), `${"0".repeat(63)}/`, "0".repeat(63), `${"0".repeat(64)}\n`])(
    "what is no hash is refused: %j",
    async (sha256) => {
      const store = await open();
      await expect(store.getBlob(refOf(sha256))).rejects.toEqual(code("contract.invalid"));
      await expect(store.localPath(refOf(sha256))).rejects.toEqual(code("contract.invalid"));
    },
  );
}

function removalLaws(open: () => Promise<OpenedStore["store"]>): void {
  test("a blob that was stored or touched after the moment stays; one that was not goes", async () => {
    const store = await open();
    const ref = await store.putBlob(bytesOf("hello"), "Text/1");
    expect(await store.removeBlob(ref.sha256, Date.now() - HOUR)).toBe(false);
    expect(await store.touchBlob(ref.sha256)).toBe(true);
    expect(await store.removeBlob(ref.sha256, Date.now() - HOUR)).toBe(false);
    expect(await textOf(store, ref)).toBe("hello");
    expect(await store.removeBlob(ref.sha256, Date.now() + HOUR)).toBe(true);
    expect(await store.removeBlob(ref.sha256, Date.now() + HOUR)).toBe(false);
    await expect(store.getBlob(ref)).rejects.toEqual(code("store.missing"));
    await store.restoreRemovals();
    await expect(store.getBlob(ref)).rejects.toEqual(code("store.missing"));
    expect(await store.putBlob(bytesOf("hello"), "Text/1")).toEqual(ref);
    expect(await textOf(store, ref)).toBe("hello");
  });

  test("a blob that a retention let go is told as that", async () => {
    const store = await open();
    const { sha256, numBytes, ...ref } = await store.putBlob(bytesOf("hello"), "Text/1");
    const note = { schemaVersion: 1, sha256, numBytes, schema: "Text/1", reason: "nobody keeps it", droppedAt: "2026-01-02T03:04:05.000Z" };
    await store.putOnce(`dropped/${sha256}.json`, note);
    expect(await textOf(store, { ...ref, sha256, numBytes })).toBe("hello");
    await store.removeBlob(sha256, Date.now() + HOUR);
    for (const read of [store.getBlob.bind(store), store.localPath.bind(store)])
      await expect(read({ ...ref, sha256, numBytes })).rejects.toEqual(
        expect.objectContaining({ code: "store.dropped", message: expect.stringContaining("nobody keeps it") }),
      );
  });

  test("every blob is listed with its size and its time", async () => {
    const store = await open();
    const refs = [await store.putBlob(bytesOf("a"), "Text/1"), await store.putBlob(bytesOf("bc"), "Text/1")];
    const found = new Map<string, number>();
    for await (const { sha256, numBytes, touchedAt } of store.listBlobs()) {
      found.set(sha256, numBytes);
      expect(Math.abs(touchedAt - Date.now())).toBeLessThan(HOUR);
    }
    expect(found).toEqual(new Map(refs.map(({ sha256, numBytes }) => [sha256, numBytes])));
  });

  test("a sweep takes nothing that has a name", async () => {
    const store = await open();
    const ref = await store.putBlob(bytesOf("hello"), "Text/1");
    await store.putOnce("a/b.json", { ref });
    expect(await store.sweepTemporaries({ now: Date.now() + 48 * HOUR })).toEqual({ count: 0, numBytes: 0 });
    expect(await store.list("")).toEqual(["a/b.json", ref.uri]);
  });
}

function manifestLaws(makePlace: () => Promise<Place> | Place, open: () => Promise<OpenedStore["store"]>): void {
  test("the first writer wins, an equal second write is nothing, a different one is a conflict", async () => {
    const place = await makePlace();
    await place.open().store.putOnce("campaigns/a/campaign.json", { b: 1, a: [1, 2] });
    const other = place.open().store;
    await other.putOnce("campaigns/a/campaign.json", { a: [1, 2], b: 1 });
    await expect(other.putOnce("campaigns/a/campaign.json", { a: [2, 1], b: 1 })).rejects.toEqual(code("store.conflict"));
    expect(await other.read("campaigns/a/campaign.json")).toEqual({ a: [1, 2], b: 1 });
  });

  test("of many different writers at once exactly one wins, and everybody reads that one", async () => {
    const place = await makePlace();
    const stores = [place.open().store, place.open().store, place.open().store];
    const results = await Promise.allSettled(
      Array.from({ length: 24 }, (_, n) => present(stores[n % 3]).putOnce("campaigns/a/x.json", { n })),
    );
    const winners = results.flatMap(({ status }, n) => (status === "fulfilled" ? [n] : []));
    expect(winners).toHaveLength(1);
    for (const result of results) if (result.status === "rejected") expect(result.reason).toEqual(code("store.conflict"));
    for (const store of stores) expect(await store.read("campaigns/a/x.json")).toEqual({ n: winners[0] });
  });

  test("any JSON value comes back as it is written in its canonical form", async () => {
    const store = await open();
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        number += 1;
        const name = `values/${number}.json`;
        await store.putOnce(name, value);
        expect(await store.read(name)).toEqual(JSON.parse(canonicalJson(value)));
      }),
      { numRuns: 30 },
    );
  });

  test("no reader sees half a manifest, and no list names one that cannot be read", async () => {
    const place = await makePlace();
    const value = { text: "0123456789".repeat(200_000) };
    const reader = place.open().store;
    let isWriting = true;
    const write = async () => {
      const writer = place.open().store;
      for (let index = 0; index < 8; index += 1) await writer.putOnce(`large/${index}.json`, value);
      isWriting = false;
    };
    const watch = async () => {
      do {
        const listed = await reader.list("large");
        for (const name of listed) expect((await reader.read(name)) as object).toEqual(value);
        const next = (await reader.read(`large/${listed.length}.json`)) as object | null;
        if (next !== null) expect(next).toEqual(value);
      } while (isWriting);
    };
    await Promise.all([write(), watch()]);
    expect(await reader.list("large")).toHaveLength(8);
  });

  test("what is not written reads as null and has no time; what is not JSON is corrupt", async () => {
    const place = await makePlace();
    const { store } = place.open();
    expect([await store.read("a/x.json"), await store.writtenAt("a/x.json")]).toEqual([null, null]);
    await store.putOnce("a/x.json", {});
    await place.damage("a/x.json", bytesOf("{"));
    await expect(place.open().store.read("a/x.json")).rejects.toEqual(code("store.corrupt"));
  });

  test("what comes later is not older", async () => {
    const store = await open();
    const times: number[] = [];
    for (let index = 0; index < 5; index += 1) {
      await store.putOnce(`a/${index}.json`, {});
      times.push(present(await store.writtenAt(`a/${index}.json`)));
    }
    expect(times).toEqual(times.toSorted((one, other) => one - other));
  });

  test.each([
    ["not a number", Number.NaN],
    ["infinity", { x: Infinity }],
    ["nothing", undefined],
    ["a large integer", { x: 5n }],
    ["half a letter", "\ud800"],
  ])("what is no JSON value cannot enter the record: %s", async (_what, value) => {
    const store = await open();
    await expect(store.putOnce("a/x.json", value)).rejects.toThrow();
    expect(await store.list("")).toEqual([]);
  });
}

const LEAVING = ["../x.json", "/etc/x.json", "a/../../x.json", "a//b.json", "a/./b.json", ".hidden", "a\\..\\b", "a\0b", "", "a/", "a\n"];

function nameLaws(makePlace: () => Promise<Place> | Place): void {
  test.each(LEAVING)("the name %j is refused by whoever is asked for it", async (name) => {
    const { store, journals } = (await makePlace()).open();
    await expect(store.putOnce(name, {})).rejects.toEqual(code("contract.invalid"));
    await expect(store.read(name)).rejects.toEqual(code("contract.invalid"));
    await expect(store.writtenAt(name)).rejects.toEqual(code("contract.invalid"));
    expect(() => journals.open(`turns/${name}`)).toThrow(code("contract.invalid"));
    await expect(store.removeJournal(`turns/../${name}`)).rejects.toEqual(code("contract.invalid"));
    expect(await store.list("")).toEqual([]);
  });

  test.each(["blobs/sha256/ab/x", "tmp/x.json", "trash/x.json", JOURNAL])("no manifest may be written at %s", async (name) => {
    await expect((await makePlace()).open().store.putOnce(name, {})).rejects.toEqual(code("contract.invalid"));
  });

  test("any name is either refused, or kept as it is, letter by letter", async () => {
    const { store } = (await makePlace()).open();
    const letter = fc.constantFrom(..."aA0._-=@+ ~%:*?é\u0301\u{1F6EB}\ud800");
    const segment = fc.oneof(
      { weight: 3, arbitrary: fc.string({ unit: letter, minLength: 1, maxLength: 4 }) },
      fc.string({ unit: "grapheme", minLength: 1 }),
    );
    const kept = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(segment, { minLength: 1, maxLength: 3 }), async (segments) => {
        const name = `n${kept.size}/${segments.join("/")}`;
        try {
          await store.putOnce(name, { name });
        } catch (error) {
          expect(error).toEqual(code("contract.invalid"));
          return;
        }
        kept.add(name);
        expect(await store.read(name)).toEqual({ name });
        expect(await store.list(name)).toEqual([name]);
      }),
      { numRuns: 150 },
    );
    expect(await store.list("")).toEqual([...kept].sort());
  });
}

function listLaws(makePlace: () => Promise<Place> | Place, open: () => Promise<OpenedStore["store"]>): void {
  test("names below a folder come sorted by code unit; a folder is not the beginning of a string", async () => {
    const store = await open();
    for (const name of ["c/ab/2.json", "c/a/2.json", "c/a/10.json", "c/a/Z.json", "c/a/d/1.json"]) await store.putOnce(name, {});
    expect(await store.list("c/a")).toEqual(["c/a/10.json", "c/a/2.json", "c/a/Z.json", "c/a/d/1.json"]);
    expect(await store.list("c/a/")).toEqual(await store.list("c/a"));
    expect(await store.list("c/a/2.json")).toEqual(["c/a/2.json"]);
    expect(await store.list("c/a/2")).toEqual([]);
    expect(await store.list("nothing")).toEqual([]);
    expect(await store.listFolders("c")).toEqual(["a", "ab"]);
    expect(await store.listFolders("c/a/")).toEqual(["d"]);
    expect(await store.listFolders("c/a/2.json")).toEqual([]);
    expect(await store.listFolders("nothing")).toEqual([]);
  });

  test("the root's list has everything, its folders too, and the manifests are those without blobs and journals", async () => {
    const { store, journals } = (await makePlace()).open();
    expect([await store.list(""), await store.listFolders(""), await store.listManifests()]).toEqual([[], [], []]);
    const ref = await store.putBlob(bytesOf("x"), "Text/1");
    for (const name of ["top.json", "c/a.json", "d/b/c.json"]) await store.putOnce(name, {});
    await journals.open(JOURNAL).append(opening);
    expect(await store.list("")).toEqual([ref.uri, "c/a.json", JOURNAL, "d/b/c.json", "top.json"]);
    expect(await store.listFolders("")).toEqual(["blobs", "c", "campaigns", "d"]);
    expect(await store.listManifests()).toEqual(["c/a.json", "d/b/c.json", "top.json"]);
  });

  test.each(LEAVING.filter((name) => name !== "" && name !== "a/"))("the prefix %j is refused", async (prefix) => {
    const store = await open();
    await expect(store.list(prefix)).rejects.toEqual(code("contract.invalid"));
    await expect(store.listFolders(prefix)).rejects.toEqual(code("contract.invalid"));
  });
}

const usage = { promptTokens: 3, completionTokens: 2, calls: 1 };
const opening = { type: "opening" as const, firstUserMessage: "Hi — \u{1F6EB}\n\u2028", simulatorUsage: usage } satisfies JournalEntry;
const turn = (index: number, content: string): JournalEntry => ({
  type: "turn",
  turn: { index, content, toolCalls: [], userReply: "ok", finishReason: "stop", stateHash: "h" },
  tokens: { promptTokenIds: [1, 2], tokenIds: [3], logprobs: [-0.5] },
  parseError: null,
  usage,
  simulatorUsage: usage,
});

function journalLaws(makePlace: () => Promise<Place> | Place): void {
  test("entries come back in order, to another opening as well", async () => {
    const place = await makePlace();
    const journal = place.open().journals.open(JOURNAL);
    expect(await journal.read()).toEqual([]);
    const snapshot = { ...turn(0, "c"), snapshot: '{"sum":1}' } as JournalEntry;
    const last = { ...turn(1, "d"), isLast: true } as JournalEntry;
    const entries: JournalEntry[] = [opening, turn(0, "a"), turn(1, "b".repeat(300_000)), { type: "restart" }, opening, snapshot, last];
    for (const entry of entries) await journal.append(entry);
    expect(await place.open().journals.open(JOURNAL).read()).toEqual(entries);
  });

  test("an earlier attempt that still writes does not mix its turns into its successor's", async () => {
    const place = await makePlace();
    const zombie = place.open().journals.open(JOURNAL);
    await zombie.append(opening);
    const successor = place.open().journals.open(JOURNAL);
    await successor.read();
    await successor.append(turn(0, "successor"));
    await zombie.append(turn(0, "zombie"));
    await zombie.append(turn(1, "zombie"));
    await successor.append(turn(1, "successor"));
    expect(await place.open().journals.open(JOURNAL).read()).toEqual([opening, turn(0, "successor"), turn(1, "successor")]);
  });

  test("many journals that are written at once are each their own", async () => {
    const place = await makePlace();
    const names = Array.from({ length: 12 }, (_, index) => JOURNAL.replace("0-0", `${index}-0`));
    await Promise.all(
      names.map(async (name) => {
        const journal = place.open().journals.open(name);
        await journal.append(opening);
        for (let index = 0; index < 5; index += 1) await journal.append(turn(index, name));
      }),
    );
    for (const name of names)
      expect(await place.open().journals.open(name).read()).toEqual([
        opening,
        ...Array.from({ length: 5 }, (_, index) => turn(index, name)),
      ]);
  });

  test("an entry that could not be read again is refused when it is written", async () => {
    const journal = (await makePlace()).open().journals.open(JOURNAL);
    const withMore = { ...opening, extra: 1 };
    await expect(journal.append(withMore)).rejects.toThrow();
    expect(await journal.read()).toEqual([]);
  });

  test("journals are removed by name and by folder; neighbours stay, and nothing else can be removed", async () => {
    const { store, journals } = (await makePlace()).open();
    const [other, sibling] = [JOURNAL.replace("cancel-3", "cancel-3-b"), JOURNAL.replace("0-0", "1-0")];
    for (const name of [JOURNAL, other, sibling]) await journals.open(name).append(opening);
    await store.putOnce("campaigns/demo/campaign.json", {});
    await store.removeJournal(JOURNAL);
    expect(await journals.open(JOURNAL).read()).toEqual([]);
    await store.removeJournal("campaigns/demo/iterations/0001/turns/train/cancel-3/");
    expect(await store.list("campaigns")).toEqual(["campaigns/demo/campaign.json", other]);
    for (const name of ["campaigns/demo", "campaigns/demo/campaign.json", "", "campaigns/demo/iterations/0001"])
      await expect(store.removeJournal(name)).rejects.toEqual(code("contract.invalid"));
    await store.removeJournal("campaigns/demo/iterations/0001/turns");
    await store.removeJournal("campaigns/nobody/turns");
    expect(await store.list("campaigns")).toEqual(["campaigns/demo/campaign.json"]);
  });

  test.each(["campaigns/demo/campaign.json", "turnsx/a.jsonl", "/turns/a.jsonl"])("%s is no journal", async (name) => {
    const { journals } = (await makePlace()).open();
    expect(() => journals.open(name)).toThrow(code("contract.invalid"));
  });
}

function changeLaws(makePlace: () => Promise<Place> | Place): void {
  test("whoever is told of a name can read it and all that it names, while others write", async () => {
    const place = await makePlace();
    const [writer, reader] = [place.open().store, place.open().store];
    const names = Array.from({ length: 20 }, (_, index) => `campaigns/c/${index}.json`);
    const end = new AbortController();
    const write = async () => {
      for (const name of names) await writer.putOnce(name, { blob: await writer.putBlob(bytesOf(name), "Text/1") });
    };
    const seen: string[] = [];
    const watch = async () => {
      for await (const changes of followChanges(reader, { after: null, signal: end.signal })) {
        for (const { name } of changes) {
          expect(await textOf(reader, ((await reader.read(name)) as { blob: ArtifactRef }).blob)).toBe(name);
          seen.push(name);
        }
        if (seen.length >= names.length) end.abort();
      }
    };
    await Promise.all([write(), watch()]);
    expect(seen.toSorted()).toEqual(names.toSorted());
  });
}
