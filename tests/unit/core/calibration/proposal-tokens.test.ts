import { expect, test } from "vitest";
import { proposalTokens } from "#reports/calibration-markdown.ts";

const usage = { modelCalls: 3, promptTokens: 10, completionTokens: 4, usd: 0 };

test("what a proposal cost is told, and that it cost more where the server does not say all", () => {
  expect(proposalTokens(usage)).toBe("10 prompt and 4 completion tokens");
  expect(proposalTokens({ ...usage, uncountedCalls: 2 })).toBe(
    "10 prompt and 4 completion tokens and more: of 2 of its answers its server does not say all tokens",
  );
});
