// What is of journals in local files alone; tests/laws/artifact-store.ts says what every store's journals do.
import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
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

const withTokens = (index: number, promptTokenIds: number[], tokenIds: number[]): JournalEntry => ({
  ...(turn(index, "") as Extract<JournalEntry, { type: "turn" }>),
  tokens: { promptTokenIds, tokenIds, logprobs: tokenIds.map(() => -1) },
});

test("prompts that go on, are written anew, are cut or are missing read back as they were, over restarts and successors", async () => {
  const ids = fc.array(fc.nat(9), { maxLength: 4 });
  const step = fc.record({
    keep: fc.nat(20),
    added: ids,
    sampled: ids,
    kind: fc.constantFrom("turn", "turn", "turn", "no tokens", "restart"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.nat(12), async (steps, change) => {
      const root = temporaryFolder();
      let context: number[] = [];
      const entries = steps.map(({ keep, added, sampled, kind }, index): JournalEntry => {
        if (kind === "restart") return { type: "restart" };
        if (kind === "no tokens") return { ...(turn(index, "") as object), tokens: null } as JournalEntry;
        const prompt = [...context.slice(0, keep), ...added];
        context = [...prompt, ...sampled];
        return withTokens(index, prompt, sampled);
      });
      const [first, second] = [new LocalTurnJournal(root, NAME), new LocalTurnJournal(root, NAME)];
      for (const entry of entries.slice(0, change)) await first.append(entry);
      for (const entry of entries.slice(change)) await second.append(entry);
      expect(await new LocalTurnJournal(root, NAME).read()).toEqual(entries);
    }),
    { numRuns: 60 },
  );
});

test("a journal grows with what a turn adds, not with its whole prompt", async () => {
  const bytesAfter = async (numTurns: number) => {
    const root = temporaryFolder();
    const journal = new LocalTurnJournal(root, NAME);
    let context: number[] = [];
    for (let index = 0; index < numTurns; index += 1) {
      const prompt = [...context, ...Array.from({ length: 400 }, () => 12_345)];
      await journal.append(withTokens(index, prompt, [1, 2, 3]));
      context = [...prompt, 1, 2, 3];
    }
    return statSync(join(root, NAME)).size;
  };
  const [ten, twenty] = [await bytesAfter(10), await bytesAfter(20)];
  expect(twenty).toBeLessThan(2.02 * ten);
});

test("lines of 0.1.0, which hold whole prompts, are read and continued", async () => {
  const root = temporaryFolder();
  const path = join(root, NAME);
  mkdirSync(dirname(path), { recursive: true });
  const entries = [opening, withTokens(0, [1, 2], [3]), withTokens(1, [1, 2, 3, 4], [5])];
  let after = "start";
  for (const entry of entries) {
    const line = JSON.stringify({ after, entry });
    writeFileSync(path, `\n${line}\n`, { flag: "a" });
    after = createHash("sha256").update(line).digest("hex");
  }
  const next = withTokens(2, [1, 2, 3, 4, 5, 6], [7]);
  await new LocalTurnJournal(root, NAME).append(next);
  expect(await new LocalTurnJournal(root, NAME).read()).toEqual([...entries, next]);
});
