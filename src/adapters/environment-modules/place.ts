// Where in a file something went wrong, read from what an error says of itself.

export interface Place {
  /** Absolute. */
  readonly path: string;
  /** From 1; null where the error does not say. */
  readonly line: number | null;
  readonly column: number | null;
}

/**
 * The first frame of the stack that `frame` knows, with its groups path (of a file URL), line and column; else the file and line that a syntax error begins with. Null when
 * there is neither.
 */
export function placeIn(error: unknown, frame: RegExp): Place | null {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const found = frame.exec(stack)?.groups ?? SYNTAX_ERROR.exec(stack)?.groups;
  if (found?.["path"] === undefined) return null;
  const number = (text: string | undefined) => (text === undefined ? null : Number(text));
  return { path: decodeURI(found["path"]), line: number(found["line"]), column: number(found["column"]) };
}

/** Node begins the stack of a syntax error with the place of it, above the source line. */
const SYNTAX_ERROR = /^(file:\/\/)?(?<path>\/.*):(?<line>\d+)\n/;
