// What cell.py answers, and what becomes of it with the output.
import { z } from "zod";
import type { CellErrorKind, CellOutcome } from "#environments/code-reasoning/code-runtime.ts";

const CellReport = z.strictObject({
  result: z.string().nullable(),
  error: z.strictObject({ kind: z.enum(["exception", "memory"]), text: z.string() }).nullable(),
});

export interface CellOutput {
  /** What was kept. */
  readonly bytes: Uint8Array;
  readonly isCut: boolean;
}

/** The outcome of a cell that ended by itself. What the code has made of our own functions is no report: the cell crashed. */
export function readReport(json: string, output: CellOutput): CellOutcome {
  const parsed = CellReport.safeParse(parse(json));
  if (!parsed.success) return failed("crashed", "the interpreter's answer is not that of its cell runner: the code has changed it", output);
  const stdout = decode(output.bytes);
  const { result, error } = parsed.data;
  if (output.isCut) return failed("output", `more than ${output.bytes.length} bytes of output; the rest is not kept`, output);
  return {
    stdout,
    result: result?.toWellFormed() ?? null,
    error: error === null ? null : { kind: error.kind, text: error.text.toWellFormed() },
  };
}

/** The outcome of a cell that did not end, or not well. */
export function failed(kind: CellErrorKind, text: string, output: CellOutput): CellOutcome {
  return { stdout: decode(output.bytes), result: null, error: { kind, text } };
}

/** Bytes that are no UTF-8, among them a character that the limit has cut, become U+FFFD. */
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
