// What is of a store in a local folder alone; tests/laws/artifact-store.ts says what every store does.
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { freeBytes } from "#adapters/free-bytes.ts";
import { present } from "../../fixtures/present.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const openStore = () => new LocalArtifactStore(temporaryFolder());
const code = (value: string) => expect.objectContaining({ code: value });

describe("blobs", () => {
  test("fifty writers of the same bytes at once leave one whole blob and no temporary file", async () => {
    const store = openStore();
    const refs = await Promise.all(Array.from({ length: 50 }, () => store.putBlob(bytes("one"), "Text/1")));
    expect(new Set(refs.map((ref) => ref.uri)).size).toBe(1);
    expect(Buffer.from(await store.getBlob(present(refs[0]))).toString()).toBe("one");
    expect(readdirSync(join(store.root, "tmp"))).toEqual([]);
  });

  test("a flipped byte is found on reading", async () => {
    const store = openStore();
    const ref = await store.putBlob(bytes("hello"), "Text/1");
    chmodSync(join(store.root, ref.uri), 0o644);
    writeFileSync(join(store.root, ref.uri), "hellO");
    await expect(store.getBlob(ref)).rejects.toEqual(code("store.corrupt"));
    await expect(store.localPath(ref)).rejects.toEqual(code("store.corrupt"));
  });

  test("a truncated blob is repaired by storing its bytes again", async () => {
    const store = openStore();
    const ref = await store.putBlob(bytes("hello"), "Text/1");
    chmodSync(join(store.root, ref.uri), 0o644);
    truncateSync(join(store.root, ref.uri), 2);
    await store.putBlob(bytes("hello"), "Text/1");
    expect(Buffer.from(await store.getBlob(ref)).toString()).toBe("hello");
  });
});

describe("a file", () => {
  const MEGABYTES = 24;
  /** Bytes that this process has given to write calls. */
  const written = () => Number(/^wchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
  function source(folder: string): string {
    const path = join(folder, "weights");
    writeFileSync(path, Buffer.alloc(MEGABYTES * 1_000_000, 3));
    return path;
  }

  test.runIf(process.platform === "linux")("whose bytes are there is hashed and not copied", async () => {
    const store = openStore();
    const path = source(temporaryFolder());
    const ref = await store.putBlobFile(path, "Data/1");
    const before = written();
    expect(await store.putBlobFile(path, "Data/1")).toEqual(ref);
    expect(written() - before).toBeLessThan(1_000_000);
    expect(readdirSync(join(store.root, "tmp"))).toEqual([]);
  });

  test.runIf(process.platform === "linux")("that is final is shared, not copied; a file that is not is the record's own", async () => {
    const store = openStore();
    const path = source(store.root);
    const before = written();
    const ref = await store.putBlobFile(path, "Data/1", { isFinal: true });
    expect(written() - before).toBeLessThan(1_000_000);
    expect(statSync(await store.localPath(ref)).mode & 0o222).toBe(0);
    const other = join(store.root, "other");
    writeFileSync(other, "the user's own");
    const copied = await store.putBlobFile(other, "Data/1");
    appendFileSync(other, ", changed");
    expect(Buffer.from(await store.getBlob(copied)).toString()).toBe("the user's own");
  });

  test("that is replaced or removed later, as a trainer does, leaves the blob as it was", async () => {
    const store = openStore();
    const path = join(store.root, "export");
    writeFileSync(path, "first");
    const ref = await store.putBlobFile(path, "Data/1", { isFinal: true });
    writeFileSync(`${path}.tmp`, "second");
    renameSync(`${path}.tmp`, path);
    expect(Buffer.from(await store.getBlob(ref)).toString()).toBe("first");
  });

  test("on another file system is copied", async () => {
    const isApart = existsSync("/dev/shm") && statSync("/dev/shm").dev !== statSync(temporaryFolder()).dev;
    if (!isApart) return;
    const store = openStore();
    const path = join("/dev/shm", `turnwise-test-${process.pid}`);
    writeFileSync(path, "elsewhere");
    try {
      const ref = await store.putBlobFile(path, "Data/1", { isFinal: true });
      expect(Buffer.from(await store.getBlob(ref)).toString()).toBe("elsewhere");
    } finally {
      execFileSync("rm", [path]);
    }
  });
});

describe("the removal of a blob", () => {
  const HOUR = 3_600_000;
  async function oldBlob() {
    const store = openStore();
    const ref = await store.putBlob(bytes("hello"), "Text/1");
    const path = join(store.root, ref.uri);
    const time = new Date(Date.now() - 48 * HOUR);
    utimesSync(path, time, time);
    return { store, ref, path };
  }
  const read = async (store: LocalArtifactStore, ref: Parameters<LocalArtifactStore["getBlob"]>[0]) =>
    Buffer.from(await store.getBlob(ref)).toString();
  const inTrash = (store: LocalArtifactStore) => (existsSync(join(store.root, "trash")) ? readdirSync(join(store.root, "trash")) : []);

  test("takes one that nobody has used for long", async () => {
    const { store, ref } = await oldBlob();
    expect(await store.removeBlob(ref.sha256, Date.now() - HOUR)).toBe(true);
    await expect(store.getBlob(ref)).rejects.toEqual(code("store.missing"));
    expect(await store.removeBlob(ref.sha256, Date.now() - HOUR)).toBe(false);
    expect(inTrash(store)).toEqual([]);
  });

  test.each([
    ["stored again", (store: LocalArtifactStore) => store.putBlob(bytes("hello"), "Text/1")],
    ["touched", (store: LocalArtifactStore, sha256: string) => store.touchBlob(sha256)],
    [
      "stored again from a file",
      (store: LocalArtifactStore) => {
        writeFileSync(join(store.root, "again"), "hello");
        return store.putBlobFile(join(store.root, "again"), "Text/1");
      },
    ],
  ])("leaves one that was %s after it was chosen", async (_name, use) => {
    const { store, ref } = await oldBlob();
    await use(store, ref.sha256);
    expect(await store.removeBlob(ref.sha256, Date.now() - HOUR)).toBe(false);
    expect(await read(store, ref)).toBe("hello");
    expect(inTrash(store)).toEqual([]);
  });

  test("that was killed half way takes nothing away from readers, and is undone", async () => {
    const killed = async () => {
      const { store, ref, path } = await oldBlob();
      mkdirSync(join(store.root, "trash"), { recursive: true });
      renameSync(path, join(store.root, "trash", `${ref.sha256}.0b0e7f0c-4b0a-4a39-a2f5-1d2f6e1f3f10`));
      return { store, ref };
    };
    const reading = await killed();
    expect(await read(reading.store, reading.ref)).toBe("hello");
    const asking = await killed();
    expect(readFileSync(await asking.store.localPath(asking.ref), "utf8")).toBe("hello");
    const storing = await killed();
    await storing.store.putBlob(bytes("hello"), "Text/1");
    const restored = await killed();
    for (const { store, ref } of [reading, asking, storing, restored]) {
      await store.restoreRemovals();
      expect(await read(store, ref)).toBe("hello");
      expect(inTrash(store)).toEqual([]);
    }
  });

  test("is seen by a store that has read the blob before", async () => {
    const { store, ref } = await oldBlob();
    await store.localPath(ref);
    await new LocalArtifactStore(store.root).removeBlob(ref.sha256, Date.now() - HOUR);
    await expect(store.localPath(ref)).rejects.toEqual(code("store.missing"));
  });
});

describe("the disk", () => {
  test("says how much room is left, also for a folder that is not there yet", async () => {
    const folder = temporaryFolder();
    const [here, later] = [await freeBytes(folder), await freeBytes(join(folder, "not", "yet"))];
    const available = Number(execFileSync("df", ["-Pk", folder], { encoding: "utf8" }).trim().split("\n").at(-1)?.split(/\s+/)[3]) * 1024;
    for (const bytes of [here, later]) expect(Math.abs(bytes - available) / available).toBeLessThan(0.2); // others write meanwhile
  });
});

describe("manifests", () => {
  test("the first writer wins, an equal second write is nothing, a different one is a conflict", async () => {
    const store = openStore();
    await store.putOnce("campaigns/a/campaign.json", { b: 1, a: [1, 2] });
    await store.putOnce("campaigns/a/campaign.json", { a: [1, 2], b: 1 });
    await expect(store.putOnce("campaigns/a/campaign.json", { a: [1, 2], b: 2 })).rejects.toEqual(code("store.conflict"));
    expect(await store.read("campaigns/a/campaign.json")).toEqual({ a: [1, 2], b: 1 });
    expect(readFileSync(join(store.root, "campaigns/a/campaign.json"), "utf8")).toBe('{"a":[1,2],"b":1}');
  });

  test("what is not written reads as null, what is not JSON as store.corrupt", async () => {
    const store = openStore();
    expect(await store.read("campaigns/a/campaign.json")).toBeNull();
    await store.putOnce("campaigns/a/campaign.json", {});
    chmodSync(join(store.root, "campaigns/a/campaign.json"), 0o644);
    writeFileSync(join(store.root, "campaigns/a/campaign.json"), "{");
    await expect(store.read("campaigns/a/campaign.json")).rejects.toEqual(code("store.corrupt"));
  });
});

describe("lists", () => {
  test("only journals can be removed", async () => {
    const store = openStore();
    await store.putOnce("campaigns/a/campaign.json", {});
    await expect(store.removeJournal("campaigns/a")).rejects.toEqual(code("contract.invalid"));
    await expect(store.removeJournal("campaigns/a/iterations/0001/turns/../../..")).rejects.toEqual(code("contract.invalid"));
    await store.removeJournal("campaigns/a/iterations/0001/turns");
    expect(existsSync(join(store.root, "campaigns/a/campaign.json"))).toBe(true);
  });
});
