// What a reader of conversations had to decide, drop or guess, counted by kind: nothing of a file is changed without a word.

/** Every kind with what it means, for people. */
export const READING_NOTES = {
  "python-literal-arguments": "calls whose arguments were written as a Python literal: read as what they are",
  "double-encoded-arguments": "calls whose arguments were JSON inside a JSON string: unwrapped",
  "unreadable-arguments": "calls whose arguments are no object in JSON or Python: kept as text",
  "text-valued-arguments": "calls whose arguments came as bare text without a schema that types them: kept as text",
  "user-messages-joined": "user messages in a row: joined with a newline",
  "user-message-after-call": "user messages that came between a call and its result: stand behind the result",
  "late-result": "results that came after another message of the agent: belong to the call, not to their place",
  "result-by-order": "results under an id that no open call has: given to the first open call",
  "result-without-call": "results that belong to no call: left out",
  "result-in-user-turn": "results that were stored as the user's message: not the user's words",
  "text-before-user": "what the agent's side said before the user had spoken: no turn",
  "no-user": "conversations without a user",
  "system-message-later": "system messages inside the conversation: left out",
  "user-tool-message": "calls and results of the user's own tools: not the agent's",
  "role-renamed": "messages whose role has another name (human, gpt, function, …)",
  "content-part-without-text": "parts of messages without text (images, audio): left out",
  "call-in-another-form": "calls in another form than the rest of their conversation, known by their results: read",
  "call-like-text": "messages that look like a call and were not run as one: messages",
  "calls-unreadable": "conversations with results whose calls could not be read: left out",
} as const;
export type ReadingNote = keyof typeof READING_NOTES;

export class Notes {
  private readonly counts = new Map<string, number>();

  add(note: ReadingNote, detail: string | null = null): void {
    const key = detail === null ? note : `${note} (${detail})`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  /** Forgets what came before: of a conversation that is left out nothing else matters. */
  only(note: ReadingNote, detail: string): void {
    this.counts.clear();
    this.add(note, detail);
  }

  /** In alphabetical order; only what happened. */
  toRecord(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
