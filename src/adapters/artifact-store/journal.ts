// The turn journal of one rollout in a local file: JSON lines, only ever appended.
//
// Each line names the line that it follows by hash, and reading walks that chain from the start. So a line torn by a crash, and
// the lines of an earlier attempt that still runs beside its successor, drop out: what is read is always one attempt's own story.
// Appends are not flushed to the disk: they survive the death of any process; after a power cut the journal may be shorter, which
// only means that a few turns are made again.
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { Turn, TurnTokens } from "#contracts/trajectory.ts";
import { CampaignError } from "#core/errors.ts";
import type { JournalEntry, TurnJournal } from "#core/ports.ts";
import { isErrno } from "./durable-file.ts";
import { sha256Of } from "./hash.ts";
import { checkName, isJournalName } from "./names.ts";

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
    ...SimulatorNotes,
  }),
]);
const Line = z.strictObject({ after: z.string(), entry: Entry });

const START = "start";

/** A journal file below the record's root. The folder is made with the first entry. */
export class LocalTurnJournal implements TurnJournal {
  readonly #path: string;
  #last: string | null = null;

  /** `name` is a name of the record below a `turns/` folder (`turnJournalName`). */
  constructor(root: string, name: string) {
    if (!isJournalName(name)) throw new CampaignError("contract.invalid", `not a journal name: ${JSON.stringify(name)}`);
    this.#path = join(root, checkName(name));
  }

  /** The entries so far, in order; [] when there are none. */
  async read(): Promise<JournalEntry[]> {
    const { entries, last } = followChain(await this.#text());
    this.#last = last;
    return entries;
  }

  /** Adds one entry after those last read or written by this object. */
  async append(entry: JournalEntry): Promise<void> {
    if (this.#last === null) await this.read();
    const line = JSON.stringify(Line.parse({ after: this.#last, entry })); // what could not be read again is not written
    try {
      // The leading line break ends a line that a crash may have torn.
      await appendWithFolder(this.#path, `\n${line}\n`);
    } catch (error) {
      throw new CampaignError("store.unavailable", `cannot write ${this.#path}`, { cause: error });
    }
    this.#last = sha256Of(line);
  }

  async #text(): Promise<string> {
    try {
      return await readFile(this.#path, "utf8");
    } catch (error) {
      if (isErrno(error, "ENOENT")) return "";
      throw new CampaignError("store.unavailable", `cannot read ${this.#path}`, { cause: error });
    }
  }
}

/** The folder is made when it turns out to be missing: asking for it each time cost more than the append itself. */
async function appendWithFolder(path: string, text: string): Promise<void> {
  try {
    await appendFile(path, text);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
    await mkdir(dirname(path), { recursive: true });
    await appendFile(path, text);
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
