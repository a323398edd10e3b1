// How alike programs are by the tokens that they share. Needs no model, and says the same on every machine.
import { similarity, tokenVectors } from "../tf-idf.ts";
import { codeTokens } from "./code-tokens.ts";
import type { ProgramSimilarity } from "./shape-outcomes.ts";

/**
 * Cosine of the TF-IDF vectors of the programs of one group: counts of tokens times ln((1 + n) / (1 + df)) + 1, n being the programs of
 * the group and df those that have the token. In [0, 1]: exactly 1 for the same tokens as often, 0 for none in common. A program without
 * tokens is like none, not even like another empty one: who wrote no code gets no credit for code.
 */
export function tokenSimilarity(programs_G: readonly string[]): ProgramSimilarity {
  const vectors_G = tokenVectors(programs_G.map(codeTokens));
  const squares_G = vectors_G.map((vector) => similarity(vector, vector));
  return (i, j) => {
    const [a, b] = [vectors_G[i], vectors_G[j]];
    if (a === undefined || b === undefined || a.size === 0 || b.size === 0) return 0;
    // The root of a square is exact, so the same vector gives exactly 1; a product of unit vectors need not.
    return Math.min(1, similarity(a, b) / Math.sqrt((squares_G[i] ?? 0) * (squares_G[j] ?? 0)));
  };
}
