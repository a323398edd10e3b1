import fc from "fast-check";
import { expect, test } from "vitest";
import { referencesIn } from "#core/retention/references.ts";

const hash = fc.stringMatching(/^[0-9a-f]{64}$/);
const reference = fc.record(
  { uri: fc.string(), sha256: hash, numBytes: fc.nat(), schema: fc.string({ minLength: 1 }), extra: fc.jsonValue() },
  { requiredKeys: ["uri", "sha256"] },
);

/** A JSON value with references planted anywhere in it, those inside other references included. */
const planted = fc.letrec<{ value: { json: unknown; hashes: string[] } }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), hash).map((json) => ({ json, hashes: [] as string[] })),
    fc.tuple(reference, tie("value")).map(([ref, inner]) => ({
      json: { ...ref, extra: inner.json },
      hashes: [ref.sha256, ...inner.hashes],
    })),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => ({
      json: items.map(({ json }) => json),
      hashes: items.flatMap(({ hashes }) => hashes),
    })),
    fc
      .dictionary(
        fc.string().filter((key) => key !== "uri" && key !== "sha256"),
        tie("value"),
        { maxKeys: 4 },
      )
      .map((members) => ({
        json: Object.fromEntries(Object.entries(members).map(([key, { json }]) => [key, json])),
        hashes: Object.values(members).flatMap(({ hashes }) => hashes),
      })),
  ),
})).value;

test("every reference is found, wherever it stands and whatever stands beside it, and nothing else is", () => {
  fc.assert(
    fc.property(planted, ({ json, hashes }) => {
      const found = referencesIn(JSON.parse(JSON.stringify(json))).map(({ sha256 }) => sha256);
      expect(found.sort()).toEqual([...hashes].sort());
    }),
    { numRuns: 500 },
  );
});

test("a reference with ill-formed other fields is still one; a hash without an address is none", () => {
  const sha256 = "a".repeat(64);
  expect(referencesIn({ uri: "x", sha256, numBytes: "many", schema: 7 })).toEqual([{ sha256, schema: "unknown", numBytes: null }]);
  expect(referencesIn([{ sha256, numBytes: 3 }, { uri: "x", sha256: "abc" }, sha256])).toEqual([]);
});
