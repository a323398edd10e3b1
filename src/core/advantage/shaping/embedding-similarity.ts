// How alike programs are by a model that embeds them. The model is a port; nothing here knows which one it is.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { CampaignError } from "../../errors.ts";
import type { ProgramSimilarity } from "./shape-outcomes.ts";

/** A model that makes vectors of programs. An outage is an exception, never a vector of zeros and never a missing one. */
export interface CodeEmbedder {
  /** Model and revision: equal ids, equal vectors. */
  readonly id: string;
  /** One vector per program, in their order, all of one length. */
  embed(programs: readonly string[], signal: AbortSignal): Promise<readonly (readonly number[])[]>;
}
/** Vectors by `embeddingKey`. Whoever keeps it decides how long. */
export type EmbeddingCache = Pick<Map<string, readonly number[]>, "get" | "set">;

/** Between these a product of two squares is neither 0 nor infinite. */
const [SMALLEST_SQUARE, LARGEST_SQUARE] = [1e-100, 1e100];

/** Names the vector of a whole program, to its last character, half surrogate pairs included. */
export function embeddingKey(embedderId: string, program: string): string {
  return bytesToHex(sha256(utf8ToBytes(JSON.stringify([embedderId, program]))));
}

/**
 * Cosines of the programs of one group. A program that is in the cache, or twice in the group, is embedded once. An empty program is not
 * sent, and is like none.
 *
 * throws   what the embedder throws: there is no credit without an answer; provider.invalid-response when it answers with other than one
 *          finite vector per program, all of one length and none of zeros
 */
export async function embeddingSimilarity(
  programs_G: readonly string[],
  embedder: CodeEmbedder,
  cache: EmbeddingCache,
  signal: AbortSignal,
): Promise<ProgramSimilarity> {
  await embedMissing(new Set(programs_G.filter(isWritten)), embedder, cache, signal);
  const vectors_G = programs_G.map((program) => (isWritten(program) ? cache.get(embeddingKey(embedder.id, program)) : undefined));
  checkVectors(
    vectors_G.filter((vector) => vector !== undefined),
    embedder.id,
  );
  return (i, j) => {
    const [a, b] = [vectors_G[i], vectors_G[j]];
    return a === undefined || b === undefined ? 0 : product(a, b) / Math.sqrt(product(a, a) * product(b, b));
  };
}

const isWritten = (program: string): boolean => program.trim() !== "";

/** Vectors are looked at before they are kept: what is wrong today is asked for again tomorrow. */
async function embedMissing(programs: ReadonlySet<string>, embedder: CodeEmbedder, cache: EmbeddingCache, signal: AbortSignal) {
  const missing = [...programs].filter((program) => cache.get(embeddingKey(embedder.id, program)) === undefined);
  if (missing.length === 0) return;
  const vectors = await embedder.embed(missing, signal);
  if (vectors.length !== missing.length) throw refusal(embedder.id, `gave ${vectors.length} vectors for ${missing.length} programs`);
  checkVectors(vectors, embedder.id);
  vectors.forEach((vector, i) => {
    cache.set(embeddingKey(embedder.id, missing[i] as string), vector);
  });
}

function checkVectors(vectors: readonly (readonly number[])[], id: string): void {
  const length = vectors[0]?.length ?? 0;
  for (const vector of vectors) {
    if (vector.length !== length) throw refusal(id, `gave vectors of ${length} and of ${vector.length} numbers`);
    const square = product(vector, vector);
    if (!(square > SMALLEST_SQUARE && square < LARGEST_SQUARE))
      throw refusal(id, `gave a vector without a direction: its square is ${square}`);
  }
}

function refusal(id: string, problem: string): CampaignError {
  return new CampaignError("provider.invalid-response", `the embedder ${id} ${problem}`, {
    next: "see what its server says; no rollout gets credit for its code until it answers",
  });
}

function product(a: readonly number[], b: readonly number[]): number {
  return a.reduce((total, value, i) => total + value * (b[i] ?? 0), 0);
}
