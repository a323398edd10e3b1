import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { openRecord, STORES } from "#adapters/record/open-record.ts";
import { writeSampleCampaign } from "../../fixtures/sample-record.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const refused = (message: RegExp) => expect.objectContaining({ code: "config.invalid", message: expect.stringMatching(message) });

test.each(["record", "a record", "100%", "what?", "#1", "ünï", "a:b", "%2F"])(
  "a folder %j is the same record by its path and by its URL",
  async (name) => {
    const root = join(temporaryFolder(), name);
    await openRecord(root).store.putOnce("a.json", { at: name });
    expect(existsSync(join(root, "a.json"))).toBe(true);
    expect(await openRecord(pathToFileURL(root).href).store.read("a.json")).toEqual({ at: name });
  },
);

test("opening makes nothing", () => {
  const root = join(temporaryFolder(), "later");
  openRecord(root);
  expect(existsSync(root)).toBe(false);
});

test("store, journals, record and history are of one place", async () => {
  const { store, journals, record, history } = openRecord(temporaryFolder());
  await writeSampleCampaign(record, { id: "first" });
  expect(await store.list("campaigns/first/campaign.json")).toEqual(["campaigns/first/campaign.json"]);
  const journal = "campaigns/first/iterations/0001/turns/train/t/0-0.jsonl";
  const usage = { promptTokens: 0, completionTokens: 0, calls: 0 };
  await journals.open(journal).append({ type: "opening", firstUserMessage: "hi", simulatorUsage: usage });
  expect(await store.list(journal)).toEqual([journal]);
  const opened = await history.open();
  expect((await opened.query("SELECT campaign_id FROM campaigns")).rows).toEqual([["first"]]);
  opened.close();
});

test.each(["s3://bucket/prefix", "S3://bucket", "http://user:secret@host/x", "memory:", "constructor:"])(
  "%s is refused by the name of its scheme, with what there is",
  (address) => {
    const scheme = address.slice(0, address.indexOf(":") + 1).toLowerCase();
    expect(() => openRecord(address)).toThrow(refused(new RegExp(`"${scheme}".*file:`)));
    expect(() => openRecord(address)).toThrow(expect.objectContaining({ message: expect.not.stringContaining("secret") }));
  },
);

test.each(["file:", "file:relative", "file://host/share", "file:///a?b", "file:///a#b", "file:///a%2Fb"])(
  "%s is no folder of this machine",
  (address) => {
    expect(() => openRecord(address)).toThrow(refused(/folder of this machine|not a path/));
  },
);

test.each(["", "  "])("an empty address is refused: %j", (address) => {
  expect(() => openRecord(address)).toThrow(refused(/empty/));
});

test("a scheme that is given is opened, and gets the whole address", () => {
  const seen: string[] = [];
  const other = (address: string) => {
    seen.push(address);
    return openRecord(temporaryFolder());
  };
  openRecord("Other:x/y?z", { ...STORES, "other:": other });
  expect(seen).toEqual(["Other:x/y?z"]);
});
