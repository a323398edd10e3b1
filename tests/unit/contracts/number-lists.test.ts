import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { logprobList, tokenIdList } from "#contracts/number-lists.ts";
import { TokenRow, TurnTokens } from "#contracts/trajectory.ts";

const SLOW = { ids: z.array(z.int().nonnegative()), logprobs: z.array(z.number()) };
const FAST = { ids: tokenIdList(), logprobs: logprobList() };
const element = fc.oneof(
  fc.nat(),
  fc.integer(),
  fc.double(),
  fc.constantFrom(-0, 2 ** 53, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, null, undefined, "1", true, {}, [1], 3n),
);
const anything = fc.oneof(
  fc.array(element),
  fc.array(fc.nat()),
  element,
  fc.sparseArray(fc.nat(), { maxLength: 6 }),
  fc.constant({ length: 1, 0: 1 }),
);

describe.each(["ids", "logprobs"] as const)("a list of %s", (kind) => {
  test("takes and refuses what zod's own list does, in the same words", () => {
    fc.assert(
      fc.property(anything, (value) => {
        const [fast, slow] = [FAST[kind].safeParse(value), SLOW[kind].safeParse(value)];
        expect(fast.success).toBe(slow.success);
        if (fast.success) expect(fast.data).toStrictEqual(slow.data);
        else expect(fast.error.issues).toEqual(slow.error?.issues);
      }),
    );
  });

  test("says where in an object it is wrong", () => {
    const { error } = z.strictObject({ turns: z.array(z.strictObject({ list: FAST[kind] })) }).safeParse({ turns: [{ list: [1, "x"] }] });
    expect(error?.issues[0]?.path).toEqual(["turns", 0, "list", 1]);
  });

  test("is the same JSON Schema", () => {
    expect(z.toJSONSchema(FAST[kind])).toEqual(z.toJSONSchema(SLOW[kind]));
  });
});

test("the lists of turns and rows pass as they are, without a copy", () => {
  const tokens = { promptTokenIds: [1], tokenIds: [2], logprobs: [-0.5] };
  const parsed = TurnTokens.parse(tokens);
  for (const name of ["promptTokenIds", "tokenIds", "logprobs"] as const) expect(parsed[name]).toBe(tokens[name]);
  const row = { branch: 0, tokenIds: [1], spans: [], logprobs: [] };
  expect(TokenRow.parse(row).tokenIds).toBe(row.tokenIds);
});
