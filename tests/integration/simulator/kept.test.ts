// What a user model leaves behind outlives the process: memories and troubles in the turn journal, troubles in the Parquet of the record.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LocalTurnJournal } from "#adapters/artifact-store/journal.ts";
import { connectInMemory } from "#adapters/duckdb/parquet.ts";
import { quote } from "#adapters/duckdb/table.ts";
import { decodeTrajectories, encodeTrajectories } from "#adapters/record/trajectories.ts";
import type { JournalEntry } from "#core/ports.ts";
import { sampleTrajectory } from "../../fixtures/sample-record.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const usage = { promptTokens: 1, completionTokens: 1, calls: 2 };

test("a journal gives memories and troubles back", async () => {
  const root = temporaryFolder();
  const entry: JournalEntry = {
    type: "opening",
    firstUserMessage: "hello",
    simulatorUsage: usage,
    simulatorMemory: "Thought: t\nUser Response: hello",
    simulatorTroubles: { "simulator.empty-reply": 1 },
  };
  await new LocalTurnJournal(root, "turns/a").append(entry);
  expect(await new LocalTurnJournal(root, "turns/a").read()).toEqual([entry]);
});

test("the record gives troubles back, to programs and to SQL", async () => {
  const calm = sampleTrajectory("t1", 0, 1);
  const troubled = { ...sampleTrajectory("t1", 1, 0), simulatorTroubles: { "simulator.premature-stop": 2 } };
  const bytes = await encodeTrajectories([calm, troubled]);
  expect(await decodeTrajectories(bytes)).toEqual([calm, troubled]);
  const file = join(temporaryFolder(), "trajectories.parquet");
  writeFileSync(file, bytes);
  const connection = await connectInMemory();
  const path = quote(`$.simulatorTroubles."simulator.premature-stop"`);
  const sql = `SELECT sum(coalesce(CAST(json_extract(conversation_json, ${path}) AS INT), 0)) FROM read_parquet(${quote(file)})`;
  const rows = (await connection.runAndReadAll(sql)).getRows();
  connection.closeSync();
  expect(rows.map(([sum]) => Number(sum))).toEqual([2]);
});
