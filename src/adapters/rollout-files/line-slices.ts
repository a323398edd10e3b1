// A file in lines, each handed out when it is whole. Nothing but one line is held at a time.
import { decodeSlice, JsonSyntaxError, type Slice } from "./json-slices.ts";

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Lines end with \n, \r\n or \r, which no JSON text holds inside. Blank ones are left out. */
export class LineSlicer {
  readonly #sink: (line: Slice) => void;
  readonly #maxLength: number;
  #parts: Uint8Array[] = [];
  #length = 0;
  #line = 1;
  #isAfterReturn = false;

  /** maxLength  bytes of one line; JsonSyntaxError beyond */
  constructor(sink: (line: Slice) => void, maxLength: number) {
    this.#sink = sink;
    this.#maxLength = maxLength;
  }

  push(bytes: Uint8Array): void {
    let start = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte !== NEWLINE && byte !== RETURN) {
        this.#isAfterReturn = false;
        continue;
      }
      const isSecond = byte === NEWLINE && this.#isAfterReturn;
      this.#keep(bytes.subarray(start, at));
      start = at + 1;
      this.#isAfterReturn = byte === RETURN;
      if (!isSecond) this.#hand();
    }
    this.#keep(bytes.subarray(start));
  }

  /** The last line may lack its end. */
  end(): void {
    this.#hand();
  }

  #keep(part: Uint8Array): void {
    this.#length += part.length;
    if (this.#length > this.#maxLength)
      throw new JsonSyntaxError(
        `more than ${this.#maxLength} bytes in one line, which no text here can hold: leave it out, or shorten it`,
        this.#line,
      );
    if (part.length > 0) this.#parts.push(part);
  }

  #hand(): void {
    const slice = decodeSlice(this.#parts, this.#line);
    this.#parts = [];
    this.#length = 0;
    const text = slice.text.trim();
    if (text !== "") this.#sink({ ...slice, text });
    this.#line += 1;
  }
}
