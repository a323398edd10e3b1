// Cells for the laws of code runtimes.
import type { Cell, CellOutcome, CodeRuntime, CodeSession } from "#environments/code-reasoning/code-runtime.ts";

export const LIMITS: Cell["limits"] = { seconds: 60, outputBytes: 16_384 };
export const never = (): AbortSignal => new AbortController().signal;

export const runIn = (session: CodeSession, code: string, limits: Partial<Cell["limits"]> = {}): Promise<CellOutcome> =>
  session.run({ code, limits: { ...LIMITS, ...limits }, signal: never() });

/** The outcomes of the cells of one episode. */
export async function episode(
  runtime: CodeRuntime,
  cells: readonly string[],
  limits: Partial<Cell["limits"]> = {},
): Promise<CellOutcome[]> {
  const session = await runtime.open(never());
  try {
    const outcomes: CellOutcome[] = [];
    for (const code of cells) outcomes.push(await runIn(session, code, limits));
    return outcomes;
  } finally {
    await session.close();
  }
}
