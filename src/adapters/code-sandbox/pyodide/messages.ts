// What the two threads say to each other.

export interface ThreadOptions {
  /** Null: make the snapshot, say it, and end. */
  readonly snapshot: Uint8Array | null;
  readonly memoryMib: number;
}

export interface CellRequest {
  readonly code: string;
  /** Where its output goes (output-buffer.ts). */
  readonly output: SharedArrayBuffer;
  /** Whether a session begins: the interpreter is put back to its start first. */
  readonly isFirst: boolean;
}

export type WorkerMessage =
  | { readonly type: "snapshot"; readonly bytes: Uint8Array }
  | { readonly type: "started" }
  /** JSON of cell.py. */
  | { readonly type: "ended"; readonly json: string }
  /** The interpreter is of no use any more. */
  | { readonly type: "broken"; readonly name: string; readonly text: string; readonly wasRefusedMemory: boolean };

export type CellAnswer = Extract<WorkerMessage, { type: "ended" | "broken" }>;
