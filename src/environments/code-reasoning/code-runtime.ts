// A Python in which the model's code runs. Two runtimes have this interface (src/adapters/code-sandbox), and one suite of laws.

export interface CellLimits {
  /** Seconds of wall time after which the cell's interpreter is killed. */
  readonly seconds: number;
  /** Bytes of standard output and standard error together that are kept; whoever writes more has error kind "output". */
  readonly outputBytes: number;
}

export interface Cell {
  readonly code: string;
  readonly limits: CellLimits;
  /** Ends a running cell at once: its interpreter is killed, and `run` rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/**
 * - exception: the code raised; the session goes on, with the names it had
 * - memory: it wanted more memory than the runtime gives
 * - output: it wrote more than `outputBytes`
 * - timeout: it ran longer than `seconds`
 * - crashed: its interpreter ended, or reached for what the sandbox does not have
 */
export type CellErrorKind = "exception" | "timeout" | "memory" | "output" | "crashed";

interface CellError {
  readonly kind: CellErrorKind;
  /** What the model may read: the traceback of its own frames, or one sentence. */
  readonly text: string;
}

export interface CellOutcome {
  /** Standard output and standard error in the order written, at most `outputBytes`. */
  readonly stdout: string;
  /** `repr` of the last expression; null where there is none, or it is None. */
  readonly result: string | null;
  readonly error: CellError | null;
}

/** The cells of one episode, one after the other, with one namespace. */
export interface CodeSession {
  /** After an interpreter was killed (its error's text says so) the next cell begins with an empty namespace. */
  run(cell: Cell): Promise<CellOutcome>;
  /** Once, whatever happened. */
  close(): Promise<void>;
}

export interface CodeRuntime {
  readonly id: "pyodide" | "subprocess";
  /** A session that begins with a pristine interpreter. Waits for a free one; rejects with the signal's reason. */
  open(signal: AbortSignal): Promise<CodeSession>;
  /** Ends every interpreter. */
  close(): Promise<void>;
}
