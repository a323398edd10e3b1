// Output of a cell in memory that both threads share: what was written before its interpreter was killed is still there.
import type { CellOutput } from "../cell-report.ts";

const HEADER_BYTES = 8;
const [WRITTEN, IS_CUT] = [0, 1];

export const createOutput = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(HEADER_BYTES + bytes);

/** Appends what there is room for. False when something had no room, now or before. */
export function appendOutput(buffer: SharedArrayBuffer, bytes: Uint8Array): boolean {
  const header = new Int32Array(buffer, 0, 2);
  const body = new Uint8Array(buffer, HEADER_BYTES);
  const start = Atomics.load(header, WRITTEN);
  const fitting = bytes.subarray(0, body.length - start);
  body.set(fitting, start);
  Atomics.store(header, WRITTEN, start + fitting.length);
  if (fitting.length < bytes.length) Atomics.store(header, IS_CUT, 1);
  return Atomics.load(header, IS_CUT) === 0;
}

export function readOutput(buffer: SharedArrayBuffer): CellOutput {
  const header = new Int32Array(buffer, 0, 2);
  const length = Atomics.load(header, WRITTEN);
  return { bytes: new Uint8Array(buffer, HEADER_BYTES).slice(0, length), isCut: Atomics.load(header, IS_CUT) === 1 };
}
