// A turn journal over lines that are only ever appended, wherever they lie.
//
// Each line names the line that it follows by hash, and reading walks that chain from the start. So a line torn by a crash, and
// the lines of an earlier attempt that still runs beside its successor, drop out: what is read is always one attempt's own story.
import { z } from "zod";
import { Turn, TurnTokens } from "#contracts/trajectory.ts";
import type { JournalEntry, TurnJournal } from "#core/ports.ts";
import { sha256Of } from "./hash.ts";

/** Where the lines lie. What is appended is read again as it is, after what was there; two appends never mix. */
export interface JournalLines {
  /** All of it, "" when there is none. */
  read(): Promise<string>;
  append(text: string): Promise<void>;
}

const Count = z.int().nonnegative();
const ModelUsage = z.strictObject({ promptTokens: Count, completionTokens: Count, calls: Count, reasoningTokens: Count.optional() });
const SimulatorNotes = { simulatorMemory: z.string().optional(), simulatorTroubles: z.record(z.string(), Count).optional() };
const Entry = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("opening"), firstUserMessage: z.string(), simulatorUsage: ModelUsage, ...SimulatorNotes }),
  z.strictObject({
    type: z.literal("turn"),
    turn: Turn,
    tokens: TurnTokens.nullable(),
    parseError: z.string().nullable(),
    usage: ModelUsage,
    simulatorUsage: ModelUsage,
    isLast: z.literal(true).optional(),
    snapshot: z.string().optional(),
    ...SimulatorNotes,
  }),
  z.strictObject({ type: z.literal("restart") }),
]);
const Line = z.strictObject({ after: z.string(), entry: Entry });

const START = "start";

export class ChainedJournal implements TurnJournal {
  readonly #lines: JournalLines;
  #last: string | null = null;

  constructor(lines: JournalLines) {
    this.#lines = lines;
  }

  /** The entries so far, in order; [] when there are none. */
  async read(): Promise<JournalEntry[]> {
    const { entries, last } = followChain(await this.#lines.read());
    this.#last = last;
    return entries;
  }

  /** Adds one entry after those last read or written by this object. */
  async append(entry: JournalEntry): Promise<void> {
    if (this.#last === null) await this.read();
    const line = JSON.stringify(Line.parse({ after: this.#last, entry })); // what could not be read again is not written
    await this.#lines.append(`\n${line}\n`); // the leading line break ends a line that a crash may have torn
    this.#last = sha256Of(line);
  }
}

function followChain(text: string): { entries: JournalEntry[]; last: string } {
  const entries: JournalEntry[] = [];
  let last = START;
  for (const line of text.split("\n")) {
    const entry = entryAfter(line, last);
    if (entry === null) continue;
    entries.push(entry);
    last = sha256Of(line);
  }
  return { entries, last };
}

function entryAfter(line: string, previous: string): JournalEntry | null {
  try {
    const parsed = Line.parse(JSON.parse(line));
    return parsed.after === previous ? parsed.entry : null;
  } catch {
    return null; // torn or empty: the entry was never finished, so its turn is made again
  }
}
