// A JSON document of any size, in pieces: the entries of its list, or the members of its object, each as a text of its own. Nothing but
// one piece is held at a time, so a document may be larger than any string.

import { isUtf8 } from "node:buffer";

/** A piece of a file. */
export interface Slice {
  readonly text: string;
  /** On which line of the file it begins, from 1. */
  readonly line: number;
  /** False when bytes of it are no UTF-8: each is replaced by U+FFFD. */
  readonly isUtf8: boolean;
}

/** The text of bytes that came in parts. */
export function decodeSlice(parts: readonly Uint8Array[], line: number): Slice {
  const bytes = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
  return { text: decoder.decode(bytes), line, isUtf8: isUtf8(bytes) };
}
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export interface SliceSink {
  /** A member of the object. Of an opened list an empty one, before its entries. */
  readonly member: (key: string, slice: Slice) => void;
  /** An entry of the list that is the document, or of an opened list in its object. */
  readonly entry: (slice: Slice) => void;
}

/** What is no JSON, and where. */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
  readonly line: number;
  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** Node's strings hold no more characters than this (2^29 - 24). */
export const MAX_TEXT_LENGTH = 0x1fffffe8;

export interface SliceOptions {
  /** Keys of the object whose lists are handed out entry by entry. */
  readonly opened: ReadonlySet<string>;
  /** Bytes of one piece; JsonSyntaxError beyond. */
  readonly maxPiece: number;
}

type State = "document" | "entry or ]" | "entry" | ", or ]" | "key or }" | "key" | ":" | "value" | ", or }" | "end";

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const NEWLINE = 0x0a;
const isBlank = (byte: number) => byte === 0x20 || byte === NEWLINE || byte === 0x0d || byte === 0x09;

/** Takes the bytes of a document as they come. The pieces are not looked into: whether they are JSON is for their reader to say. */
export class JsonSlicer {
  readonly #sink: SliceSink;
  readonly #options: SliceOptions;
  #state: State = "document";
  #isObject = false;
  #line = 1;
  #key = "";
  /** The piece that is being read; null between pieces. */
  #piece: Piece | null = null;

  constructor(sink: SliceSink, options: SliceOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /** Throws JsonSyntaxError for what no document can have, and whatever the sink throws. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at = this.#piece === null ? this.#between(bytes, at) : this.#within(bytes, at, this.#piece);
  }

  /** Whether the document ended; false when it was cut off. */
  get isWhole(): boolean {
    return this.#state === "end";
  }

  /** On which line the piece began that is not whole, or where the next one was to come. */
  get line(): number {
    return this.#piece?.line ?? this.#line;
  }

  #between(bytes: Uint8Array, at: number): number {
    const byte = bytes[at] as number;
    if (byte === NEWLINE) this.#line += 1;
    if (isBlank(byte)) return at + 1;
    if (this.#startsPiece(byte)) {
      this.#piece = new Piece(this.#line, this.#options.maxPiece);
      return at;
    }
    this.#state = this.#afterMark(byte);
    return at + 1;
  }

  #startsPiece(byte: number): boolean {
    switch (this.#state) {
      case "entry or ]":
        return byte !== CLOSE_LIST;
      case "key or }":
        return byte === QUOTE;
      case "key":
        return byte === QUOTE;
      case "entry":
        return true;
      case "value":
        return !(byte === OPEN_LIST && this.#options.opened.has(this.#key));
      default:
        return false;
    }
  }

  #afterMark(byte: number): State {
    const mark = `${this.#state} ${String.fromCharCode(byte)}`;
    switch (mark) {
      case "document [":
        return "entry or ]";
      case "document {":
        this.#isObject = true;
        return "key or }";
      case "entry or ] ]":
      case ", or ] ]":
        return this.#isObject ? ", or }" : "end";
      case ", or ] ,":
        return "entry";
      case ": :":
        return "value";
      case "value [":
        this.#sink.member(this.#key, { text: "[]", line: this.#line, isUtf8: true });
        return "entry or ]";
      case ", or } ,":
        return "key";
      case ", or } }":
      case "key or } }":
        return "end";
      default:
        throw new JsonSyntaxError(
          `not valid JSON: ${this.#state === "end" ? "there is more behind its end" : `expected ${this.#state}`}`,
          this.#line,
        );
    }
  }

  #within(bytes: Uint8Array, at: number, piece: Piece): number {
    const end = piece.take(bytes, at);
    if (piece.isWhole) {
      this.#line += piece.numLines;
      this.#piece = null;
      this.#hand(piece.slice());
    }
    return end;
  }

  #hand(slice: Slice): void {
    switch (this.#state) {
      case "key or }":
      case "key":
        this.#key = readKey(slice);
        this.#state = ":";
        break;
      case "value":
        this.#state = ", or }";
        this.#sink.member(this.#key, slice);
        break;
      default:
        this.#state = ", or ]";
        this.#sink.entry(slice);
    }
  }
}

function readKey({ text, line }: Slice): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw new JsonSyntaxError(`not valid JSON: ${text} is no key`, line);
  }
}

/** One value while its bytes come in: it ends with its last bracket or quote, a number or a word before the next mark. */
class Piece {
  readonly line: number;
  numLines = 0;
  isWhole = false;
  readonly #maxLength: number;
  readonly #parts: Uint8Array[] = [];
  #length = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  constructor(line: number, maxLength: number) {
    this.line = line;
    this.#maxLength = maxLength;
  }

  /** Takes what is its own, and says where that ends. */
  take(bytes: Uint8Array, start: number): number {
    let at = start;
    while (at < bytes.length && !this.isWhole) {
      const byte = bytes[at] as number;
      if (byte === NEWLINE) this.numLines += 1;
      if (this.#isInString) this.#inString(byte);
      else if (this.#depth === 0 && at + this.#length > start && this.#endsBefore(byte)) {
        if (byte === NEWLINE) this.numLines -= 1;
        break;
      } else this.#outsideString(byte);
      at += 1;
    }
    this.#keep(bytes.subarray(start, at));
    return at;
  }

  slice(): Slice {
    return decodeSlice(this.#parts, this.line);
  }

  /** A number or a word ends where the next mark or blank stands. */
  #endsBefore(byte: number): boolean {
    this.isWhole = isBlank(byte) || byte === COMMA || byte === CLOSE_LIST || byte === CLOSE_OBJECT || byte === COLON;
    return this.isWhole;
  }

  #inString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) {
      this.#isInString = false;
      this.isWhole = this.#depth === 0;
    }
  }

  #outsideString(byte: number): void {
    if (byte === QUOTE) this.#isInString = true;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) this.#depth += 1;
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      this.#depth -= 1;
      this.isWhole = this.#depth <= 0;
    }
  }

  #keep(part: Uint8Array): void {
    this.#length += part.length;
    if (this.#length > this.#maxLength)
      throw new JsonSyntaxError(
        `one value of more than ${this.#maxLength} bytes, which no text here can hold: leave it out, or shorten it`,
        this.line,
      );
    this.#parts.push(part);
  }
}
