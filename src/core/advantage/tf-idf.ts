// Texts as weighted word vectors, to tell how alike two states of a conversation are.

/** A sparse unit vector: word -> weight. */
export type WordVector = ReadonlyMap<string, number>;

const WORD = /[\p{L}\p{N}_]{2,}/gu;

/** One unit vector per text, over its words: lower-cased runs of at least two letters or digits. A text without words is the empty vector. */
export function tfIdfVectors(texts: readonly string[]): WordVector[] {
  return tokenVectors(texts.map((text) => Array.from(text.toLowerCase().matchAll(WORD), ([word]) => word)));
}

/** One unit vector per text, given as its tokens: counts times ln((1 + n) / (1 + df)) + 1, scaled to length 1. */
export function tokenVectors(texts: readonly (readonly string[])[]): WordVector[] {
  const counted = texts.map(countTokens);
  const documentFrequency = new Map<string, number>();
  for (const counts of counted) for (const word of counts.keys()) documentFrequency.set(word, (documentFrequency.get(word) ?? 0) + 1);
  const inverse = (word: string) => Math.log((1 + texts.length) / (1 + (documentFrequency.get(word) ?? 0))) + 1;
  return counted.map((counts) =>
    toUnit(new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([word, count]) => [word, count * inverse(word)]))),
  );
}

/** Cosine of two unit vectors. */
export function similarity(a: WordVector, b: WordVector): number {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  let total = 0;
  for (const [word, weight] of small) total += weight * (large.get(word) ?? 0);
  return total;
}

function countTokens(tokens: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  return counts;
}

function toUnit(vector: Map<string, number>): WordVector {
  const length = Math.sqrt([...vector.values()].reduce((total, weight) => total + weight * weight, 0));
  for (const [word, weight] of vector) vector.set(word, weight / length);
  return vector;
}
