// What is of journals in local files alone; tests/laws/artifact-store.ts says what every store's journals do.
import { appendFileSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LocalTurnJournal } from "#adapters/artifact-store/journal.ts";
import { RecordPaths } from "#adapters/record/paths.ts";
import type { JournalEntry } from "#core/ports.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const NAME = RecordPaths.journal("demo", 1, "train", "cancel-3", 0, 0);
const usage = { promptTokens: 3, completionTokens: 2, calls: 1 };
const opening: JournalEntry = { type: "opening", firstUserMessage: "Hi — \u{1F6EB}\n", simulatorUsage: usage };
const turn = (index: number, content: string): JournalEntry => ({
  type: "turn",
  turn: { index, content, toolCalls: [], userReply: "ok", finishReason: "stop", stateHash: "h" },
  tokens: { promptTokenIds: [1, 2], tokenIds: [3], logprobs: [-0.5] },
  parseError: null,
  usage,
  simulatorUsage: usage,
});

test("cut anywhere, a journal reads as the entries that were whole, and can be continued", async () => {
  const root = temporaryFolder();
  const journal = new LocalTurnJournal(root, NAME);
  const entries = [opening, turn(0, "a"), turn(1, "b")];
  for (const entry of entries) await journal.append(entry);
  const path = join(root, NAME);
  const whole = readFileSync(path);
  for (let length = whole.length - 1; length >= 0; length -= 7) {
    truncateSync(path, length);
    const successor = new LocalTurnJournal(root, NAME);
    const kept = await successor.read();
    expect(entries.slice(0, kept.length)).toEqual(kept);
    await successor.append(turn(9, "next"));
    expect(await successor.read()).toEqual([...kept, turn(9, "next")]);
    truncateSync(path, length);
  }
});

test("garbage at the end is dropped and does not swallow the next entry", async () => {
  const root = temporaryFolder();
  const journal = new LocalTurnJournal(root, NAME);
  await journal.append(opening);
  appendFileSync(join(root, NAME), Buffer.alloc(100));
  const successor = new LocalTurnJournal(root, NAME);
  await successor.append(turn(0, "a"));
  expect(await successor.read()).toEqual([opening, turn(0, "a")]);
});
