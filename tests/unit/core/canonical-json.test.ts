import { expect, test } from "vitest";
import { canonicalJson, hashJson, sha256Hex } from "#core/canonical-json.ts";

test("equal values have one text, whatever the order of their keys", () => {
  expect(canonicalJson({ b: [1, 2.5, "ü"], a: null })).toBe('{"a":null,"b":[1,2.5,"ü"]}');
  expect(hashJson({ b: 1, a: 2 })).toBe(hashJson({ a: 2, b: 1 }));
});

test("sha256 of text is that of its UTF-8", () => {
  expect(sha256Hex("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(sha256Hex("ü")).toBe(sha256Hex(new TextEncoder().encode("ü")));
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, undefined, "\ud800"])("%s has no canonical JSON", (value) => {
  expect(() => canonicalJson(value)).toThrowError(/no canonical JSON/);
});
