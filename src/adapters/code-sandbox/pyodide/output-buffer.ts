// Output of a cell in memory that both threads share: what was written before its interpreter was killed is still there.
import type { CellOutput } from "../cell-report.ts";

const HEADER_BYTES = 8;
const [WRITTEN, IS_CUT] = [0, 1];

export const createOutput = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(HEADER_BYTES + bytes);

/**
 * Appends what there is room for. False when something has no room for the first time: what is written after that is dropped without a word,
 * or the interpreter would keep what was refused and write it again in the next cell.
 */
export function appendOutput(buffer: SharedArrayBuffer, bytes: Uint8Array): boolean {
  const header = new Int32Array(buffer, 0, 2);
  const body = new Uint8Array(buffer, HEADER_BYTES);
  const start = Atomics.load(header, WRITTEN);
  const fitting = bytes.subarray(0, body.length - start);
  body.set(fitting, start);
  Atomics.store(header, WRITTEN, start + fitting.length);
  return fitting.length === bytes.length || Atomics.exchange(header, IS_CUT, 1) === 1;
}

export function readOutput(buffer: SharedArrayBuffer): CellOutput {
  const header = new Int32Array(buffer, 0, 2);
  const length = Atomics.load(header, WRITTEN);
  return { bytes: new Uint8Array(buffer, HEADER_BYTES).slice(0, length), isCut: Atomics.load(header, IS_CUT) === 1 };
}
