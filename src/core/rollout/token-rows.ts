// Turns as trainable token sequences. One row per trajectory as long as every prompt extends what came before it, token for token.
import type { TokenRow, TurnTokens } from "#contracts/trajectory.ts";

interface OpenRow {
  tokenIds: number[];
  spans: { turn: number; start: number; end: number }[];
  logprobs: number[];
}

/**
 * The rows of one trajectory, from the tokens of its turns in order.
 *
 * A turn goes on the last row when its prompt begins with all of that row's tokens; what the prompt adds is context. Any other prompt
 * (a template that rewrites history) opens a new branch that starts with the whole prompt. Every turn is trained in exactly one row.
 * Empty when any turn has no tokens: a row with holes would train on context that the model never saw.
 */
export function buildTokenRows(turns: readonly (TurnTokens | null)[]): TokenRow[] {
  const rows: OpenRow[] = [];
  for (const [index, tokens] of turns.entries()) {
    if (tokens === null) return [];
    const row = continuedRow(rows.at(-1), tokens.promptTokenIds) ?? openRow(rows, tokens.promptTokenIds);
    appendSampled(row, index, tokens);
  }
  return rows.map((row, branch) => ({ branch, ...row }));
}

function continuedRow(row: OpenRow | undefined, prompt: readonly number[]): OpenRow | null {
  if (row === undefined || prompt.length < row.tokenIds.length) return null;
  if (row.tokenIds.some((id, position) => prompt[position] !== id)) return null;
  for (let position = row.tokenIds.length; position < prompt.length; position++) row.tokenIds.push(prompt[position] as number);
  return row;
}

function openRow(rows: OpenRow[], prompt: readonly number[]): OpenRow {
  const row = { tokenIds: [...prompt], spans: [], logprobs: [] };
  rows.push(row);
  return row;
}

function appendSampled(row: OpenRow, turn: number, tokens: TurnTokens): void {
  if (tokens.tokenIds.length === 0) return;
  const start = row.tokenIds.length;
  row.tokenIds.push(...tokens.tokenIds);
  row.logprobs.push(...tokens.logprobs);
  row.spans.push({ turn, start, end: row.tokenIds.length });
}
