// A turn journal over lines that are only ever appended, wherever they lie.
//
// Each line names the line that it follows by hash, and reading walks that chain from the start. So a line torn by a crash, and
// the lines of an earlier attempt that still runs beside its successor, drop out: what is read is always one attempt's own story.
//
// A prompt is nearly always the one before with what was sampled and answered since, so a line holds what its prompt adds. Whole prompts
// would grow with the square of the turns: 1.7 MB for 30 turns up to 16,000 tokens, now 0.1.
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
/** `promptPrefix`: how many tokens of the context of the turn before the prompt begins with; those are not in the line. */
const Line = z.strictObject({ after: z.string(), entry: Entry, promptPrefix: Count.optional() });
type Line = z.infer<typeof Line>;

const START = "start";

export class ChainedJournal implements TurnJournal {
  readonly #lines: JournalLines;
  #last: string | null = null;
  #context: readonly number[] = [];

  constructor(lines: JournalLines) {
    this.#lines = lines;
  }

  /** The entries so far, in order; [] when there are none. */
  async read(): Promise<JournalEntry[]> {
    const { entries, last, context } = followChain(await this.#lines.read());
    this.#last = last;
    this.#context = context;
    return entries;
  }

  /** Adds one entry after those last read or written by this object. */
  async append(entry: JournalEntry): Promise<void> {
    if (this.#last === null) await this.read();
    const line = JSON.stringify(shortened(Line.parse({ after: this.#last, entry }), this.#context)); // what could not be read again is not written
    await this.#lines.append(`\n${line}\n`); // the leading line break ends a line that a crash may have torn
    this.#last = sha256Of(line);
    this.#context = contextAfter(entry, this.#context);
  }
}

interface Chain {
  readonly entries: JournalEntry[];
  readonly last: string;
  readonly context: readonly number[];
}

function followChain(text: string): Chain {
  const entries: JournalEntry[] = [];
  let last = START;
  let context: readonly number[] = [];
  for (const line of text.split("\n")) {
    const entry = entryAfter(line, last, context);
    if (entry === null) continue;
    entries.push(entry);
    last = sha256Of(line);
    context = contextAfter(entry, context);
  }
  return { entries, last, context };
}

function entryAfter(line: string, previous: string, context: readonly number[]): JournalEntry | null {
  try {
    const parsed = Line.parse(JSON.parse(line));
    return parsed.after === previous ? lengthened(parsed, context).entry : null;
  } catch {
    return null; // torn or empty: the entry was never finished, so its turn is made again
  }
}

/** All tokens that a turn has read and sampled; of an entry without tokens those of the turn before. */
function contextAfter(entry: JournalEntry, before: readonly number[]): readonly number[] {
  if (entry.type !== "turn" || entry.tokens === null) return before;
  return entry.tokens.promptTokenIds.concat(entry.tokens.tokenIds);
}

function shortened(line: Line, context: readonly number[]): Line {
  if (line.entry.type !== "turn" || line.entry.tokens === null) return line;
  const { promptTokenIds } = line.entry.tokens;
  let promptPrefix = 0;
  while (promptPrefix < promptTokenIds.length && promptTokenIds[promptPrefix] === context[promptPrefix]) promptPrefix += 1;
  return promptPrefix === 0 ? line : { ...withPrompt(line, line.entry, promptTokenIds.slice(promptPrefix)), promptPrefix };
}

/** Throws for a prefix that the context does not have: the line is of another story. */
function lengthened({ promptPrefix = 0, ...line }: Line, context: readonly number[]): Line {
  if (promptPrefix === 0) return line;
  if (line.entry.type !== "turn" || line.entry.tokens === null || promptPrefix > context.length) throw new RangeError("no such prefix");
  return withPrompt(line, line.entry, [...context.slice(0, promptPrefix), ...line.entry.tokens.promptTokenIds]);
}

type TurnEntry = Extract<Line["entry"], { type: "turn" }>;

const withPrompt = (line: Line, entry: TurnEntry, promptTokenIds: number[]): Line => ({
  ...line,
  entry: { ...entry, tokens: entry.tokens && { ...entry.tokens, promptTokenIds } },
});
