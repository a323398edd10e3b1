// What a reader of conversations had to decide, drop or guess, counted by kind: nothing of a file is changed without a word.
import { addCounts, type Counts } from "#core/reading/counts.ts";

/** The kinds, in the words that the account of a reading prints after their number. */
const READING_NOTES = [
  "calls with arguments as Python literals",
  "calls with arguments encoded twice",
  "calls with arguments that are no object",
  "calls with values that may be text or numbers: kept as text",
  "calls with lists or objects as Python's text, where no schema tells: kept as text",
  "user messages joined to the one before",
  "user messages before the result of a call: put behind it",
  "results after a later message of the agent: put beside their call",
  "results under an unknown id: given to the first open call",
  "results of no call: dropped",
  "results in user messages",
  "messages of the agent before the user's first: dropped",
  "conversations without a user",
  "conversations in which the agent has no turn",
  "messages of the agent without words or calls",
  "messages of the agent that are thought alone",
  "messages of the user that look like a result: taken as words",
  "later system messages: dropped",
  "thoughts in messages of the user: dropped",
  "calls and results of the user's own tools: dropped",
  "messages with another name for their role",
  "parts of messages without text: dropped",
  "fields of messages that are not read: dropped",
  "calls in another form than the rest",
  "messages that look like a call and were not run",
  "calls in text without a result: taken as not run",
  "turns of calls without any result: taken as not run",
  "calls without a result beside calls that have one: taken as not run",
  "results that are an error in JSON or between tags: taken as failed calls",
  "results that look like an error and do not say so: taken as they stand",
  "rewards between 0 and 1: kept, counted as failed",
  "rewards below 0 or above 1: counted as failed, with reward 0",
  "rollouts with golden arguments that are no object",
] as const;
export type ReadingNote = (typeof READING_NOTES)[number];

export class Notes {
  private readonly counts = new Map<string, number>();

  /** detail  stands behind the kind in brackets, e.g. the name of a role */
  add(note: ReadingNote, detail: string | null = null): void {
    const key = detail === null ? note : `${note} (${detail})`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  toCounts(): Counts {
    return addCounts(Object.fromEntries(this.counts));
  }
}
