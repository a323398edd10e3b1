import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codeTokens } from "#core/advantage/shaping/code-tokens.ts";
import { tokenSimilarity } from "#core/advantage/shaping/token-similarity.ts";

describe("tokens of a program", () => {
  test("names, numbers, literals and operators, without comments and layout", () => {
    expect(codeTokens(`total **= f"a # b" + rb'''x\n"y"''' # end\nif größe_2>=3:\n\treturn "it\\"s"`)).toEqual([
      "total",
      "**=",
      'f"a # b"',
      "+",
      `rb'''x\n"y"'''`,
      "if",
      "größe_2",
      ">=",
      "3",
      ":",
      "return",
      '"it\\"s"',
    ]);
  });

  test("a program laid out in another way has the same tokens", () => {
    const token = fc.constantFrom("x", "12", "'a b'", "+", "(", "for", '"""\n"""', "été");
    const gap = fc.constantFrom(" ", "\n", "\t ", " # words 'of\n", "\\\n", "\r\n");
    fc.assert(
      fc.property(fc.array(token), fc.array(gap, { minLength: 30, maxLength: 30 }), (tokens, gaps) => {
        fc.pre(tokens.length < 30);
        expect(codeTokens(tokens.map((one, i) => `${one}${gaps[i]}`).join(""))).toEqual(tokens);
      }),
    );
  });

  test("of any text, every character is in one token, or is space, a line's continuation or a comment", () => {
    const piece = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("'", '"', '"""', "\\", "\n", "#", "rb'", "**", "\ud800"));
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join("");
        const gap = /(?:\s|\\\r?\n|#[^\n]*)*/y; // space, continuations and comments: the next token begins where they end
        for (const token of codeTokens(text)) {
          gap.test(text);
          expect(text.slice(gap.lastIndex, gap.lastIndex + token.length)).toBe(token);
          gap.lastIndex += token.length;
        }
        gap.test(text);
        expect(gap.lastIndex).toBe(text.length);
      }),
    );
  });

  test.each(["'\\", "'''\\'", "'", '"""', "#", "r'", "\\\n", "(", "a"])("a million characters of %j are read in one pass", (piece) => {
    const text = piece.repeat(1_000_000 / piece.length);
    expect(codeTokens(text).join("").length).toBeLessThanOrEqual(text.length);
  });
});

describe("similarity by tokens", () => {
  test("is symmetric, in [0, 1], 1 for the same tokens and 0 for none in common", () => {
    const program = fc.array(fc.constantFrom("a", "b", "+", "1", "'s'", "print")).map((tokens) => tokens.join(" "));
    fc.assert(
      fc.property(fc.array(program, { minLength: 2, maxLength: 6 }), (programs) => {
        const similarity = tokenSimilarity(programs);
        programs.forEach((one, i) => {
          programs.forEach((other, j) => {
            const value = similarity(i, j);
            expect(value).toBe(similarity(j, i));
            expect(value >= 0 && value <= 1).toBe(true);
            const [left, right] = [codeTokens(one), codeTokens(other)];
            if (left.length > 0 && [...left].sort().join(" ") === [...right].sort().join(" ")) expect(value).toBe(1);
            if (!left.some((token) => right.includes(token))) expect(value).toBe(0);
          });
        });
      }),
    );
  });

  test("a token that every program has counts less than one that two share", () => {
    const similarity = tokenSimilarity(["print a", "print a", "print b", "print c"]);
    expect(similarity(0, 1)).toBe(1);
    const [common, rare] = [1, Math.log(5 / 2) + 1];
    expect(similarity(2, 3)).toBeCloseTo(common / (common + (Math.log(5 / 2) + 1) ** 2), 12);
    expect(rare).toBeGreaterThan(common);
  });
});
