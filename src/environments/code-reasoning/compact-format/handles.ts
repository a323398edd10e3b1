// Handles: @1 is the first number of two or more digits, or date, that the question or an output mentions, @2 the second, …
// A small model copies a handle, one token, where it could not copy four digits; the harness puts the number back before a cell runs.

/** A date or a whole number that is no part of a name, an at sign, or the start of a control token. Single digits stay: they are one token each. */
const PIECE = /@|<(?=[eautpc]>)|(?<![\w@])(?:\d{4}-\d{2}-\d{2}|\d{2,})(?!\w)/g;
/** What PIECE becomes, read from left to right. */
const WRITTEN = /@@|<@(?=[eautpc]>)|@(\d+)/g;

/** Numbers and dates of one conversation by handle, in order of appearance. `expand(compress(text))` is the text, whatever it is. */
export class NumberHandles {
  readonly #values: string[] = [];

  /** Context: a number that is new gets a handle. */
  mention(text: string): string {
    return this.#replace(text, (value) => (this.#values.includes(value) ? this.#values.indexOf(value) : this.#values.push(value) - 1));
  }

  /** What an agent wrote: a number that was never mentioned stays as it is. */
  compress(text: string): string {
    return this.#replace(text, (value) => this.#values.indexOf(value));
  }

  /** Back again. A handle of nothing stays, and Python will say what it thinks of it. */
  expand(text: string): string {
    return text.replace(WRITTEN, (written, number: string | undefined) => {
      if (number === undefined) return written.slice(0, 1);
      return this.#values[Number(number) - 1] ?? written;
    });
  }

  #replace(text: string, indexOf: (value: string) => number): string {
    return text.replace(PIECE, (piece) => {
      if (piece === "@") return "@@";
      if (piece === "<") return "<@";
      const index = indexOf(piece);
      return index < 0 ? piece : `@${index + 1}`;
    });
  }
}
