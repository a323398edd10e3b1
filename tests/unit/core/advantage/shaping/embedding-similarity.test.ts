import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CodeEmbedder, embeddingKey, embeddingSimilarity } from "#core/advantage/shaping/embedding-similarity.ts";
import { shapeOutcomes } from "#core/advantage/shaping/shape-outcomes.ts";
import { CampaignError } from "#core/errors.ts";

const { signal } = new AbortController();
/** Counts letters: a real embedding, if a poor one. Says what it was asked for. */
function letterEmbedder(asked: string[] = []): CodeEmbedder {
  return {
    id: "letters/1",
    embed: (programs) => {
      asked.push(...programs);
      return Promise.resolve(programs.map((program) => [..."abcdef"].map((letter) => program.split(letter).length - 0.5)));
    },
  };
}
const answering = (vectors: number[][]): CodeEmbedder => ({ id: "odd/1", embed: () => Promise.resolve(vectors) });

describe("similarity by a model", () => {
  test("is the cosine of the vectors, and of an identical program exactly 1", async () => {
    const similarity = await embeddingSimilarity(["aab", "b", "aab", " "], letterEmbedder(), new Map(), signal);
    const [a, b] = [
      [2.5, 1.5, 0.5, 0.5, 0.5, 0.5],
      [0.5, 1.5, 0.5, 0.5, 0.5, 0.5],
    ] as const;
    const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
    expect(similarity(0, 1)).toBeCloseTo(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)), 12);
    expect(similarity(0, 2)).toBe(1);
    expect([similarity(3, 0), similarity(0, 3), similarity(3, 3)]).toEqual([0, 0, 0]);
  });

  test("each program is sent once, also over groups", async () => {
    const asked: string[] = [];
    const cache = new Map<string, readonly number[]>();
    await embeddingSimilarity(["a", "b", "a", ""], letterEmbedder(asked), cache, signal);
    await embeddingSimilarity(["b", "c"], letterEmbedder(asked), cache, signal);
    expect(asked).toEqual(["a", "b", "c"]);
  });

  test("an outage is an error, and leaves nothing behind", async () => {
    const outage = new CampaignError("provider.unavailable", "the embedder does not answer");
    const cache = new Map<string, readonly number[]>();
    const down: CodeEmbedder = { id: "letters/1", embed: () => Promise.reject(outage) };
    await expect(embeddingSimilarity(["a", "b"], down, cache, signal)).rejects.toBe(outage);
    expect(cache.size).toBe(0);
    expect((await embeddingSimilarity(["a", "b"], letterEmbedder(), cache, signal))(0, 0)).toBe(1);
  });

  test.each([
    ["too few vectors", [[1, 0]]],
    ["none", []],
    [
      "a vector of zeros",
      [
        [1, 0],
        [0, 0],
      ],
    ],
    [
      "not a number",
      [
        [1, 0],
        [Number.NaN, 1],
      ],
    ],
    [
      "an infinite number",
      [
        [1, 0],
        [Number.POSITIVE_INFINITY, 1],
      ],
    ],
    ["an empty vector", [[], []]],
    [
      "two lengths",
      [
        [1, 0],
        [1, 0, 0],
      ],
    ],
  ])("%s for two programs is refused and not kept", async (_, vectors) => {
    const cache = new Map<string, readonly number[]>();
    await expect(embeddingSimilarity(["a", "b"], answering(vectors), cache, signal)).rejects.toMatchObject({
      code: "provider.invalid-response",
    });
    expect(cache.size).toBe(0);
  });

  test("vectors that an earlier model of the same name left are refused when their length is another", async () => {
    const cache = new Map([[embeddingKey("letters/1", "a"), [1, 2]]]);
    await expect(embeddingSimilarity(["a", "b"], letterEmbedder(), cache, signal)).rejects.toThrowError(/of 2 and of 6 numbers/);
  });

  test("programs that differ anywhere, at their very end too, have different keys", () => {
    const text = fc.string({ unit: "binary", maxLength: 20 });
    fc.assert(
      fc.property(text, text, fc.integer({ min: 0, max: 5_000 }), (one, other, length) => {
        fc.pre(one !== other);
        const start = "x = 1\n".repeat(length / 6);
        expect(embeddingKey("m", start + one)).not.toBe(embeddingKey("m", start + other));
        expect(embeddingKey(one, other)).not.toBe(embeddingKey(other, one));
      }),
    );
    expect(embeddingKey("m", "\ud800")).not.toBe(embeddingKey("m", "\ud801"));
    expect(embeddingKey("m", "a")).toBe(embeddingKey("m", "a"));
  });

  test("a model whose cosines are below 0 takes no outcome below what it was", async () => {
    const similarity = await embeddingSimilarity(
      ["a", "b"],
      answering([
        [1, 0],
        [-1, 0.1],
      ]),
      new Map(),
      signal,
    );
    const members = [true, false].map((passed, trial) => ({ trial, passed, outcome: passed ? 1 : 0 }));
    expect(similarity(0, 1)).toBeLessThan(0);
    expect(shapeOutcomes(members, similarity, 0.5)).toEqual([1, 0]);
  });
});
