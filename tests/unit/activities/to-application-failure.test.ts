import { ApplicationFailure, CancelledFailure } from "@temporalio/common";
import { describe, expect, test } from "vitest";
import { CampaignError, ERROR_CODES } from "#core/errors.ts";
import { toApplicationFailure } from "../../../activities/to-application-failure.ts";

describe("what an activity throws", () => {
  test.each(ERROR_CODES)("for %s carries the code and is tried again only where that can help", (code) => {
    const error = new CampaignError(code, "it failed", { next: "do this" });
    expect(toApplicationFailure(error, 1)).toMatchObject({
      type: code,
      message: "it failed. Next: do this",
      nonRetryable: !error.retryable,
    });
  });

  test("for what ends by itself whenever it starts is final after three tries, and so is what nobody expected", () => {
    const ended = new CampaignError("trainer.crashed", "exit code 1", { maxTries: 3 });
    expect(toApplicationFailure(ended, 2)).toMatchObject({ nonRetryable: false });
    expect(toApplicationFailure(ended, 3)).toMatchObject({ nonRetryable: true });
    const bug = new TypeError("x is not a function");
    expect(toApplicationFailure(bug, 2)).toBe(bug);
    expect(toApplicationFailure(bug, 3)).toMatchObject({ nonRetryable: true, type: "TypeError", cause: bug });
    expect(toApplicationFailure("a thrown string", 3)).toMatchObject({ nonRetryable: true });
  });

  test("for an endpoint that is away, a cancellation or the operating system never is", () => {
    const gone = new CampaignError("provider.unavailable", "refused");
    expect(toApplicationFailure(gone, 29)).toMatchObject({ nonRetryable: false });
    const full = Object.assign(new Error("EMFILE: too many open files"), { syscall: "open", code: "EMFILE" });
    for (const passing of [new CancelledFailure("stop"), ApplicationFailure.retryable("later"), full])
      expect(toApplicationFailure(passing, 29)).toBe(passing);
  });

  test("keeps how long a server wants to be left alone", () => {
    const limited = new CampaignError("provider.rate-limited", "slow", { retryAfterSeconds: 7 });
    expect(toApplicationFailure(limited, 1)).toMatchObject({ nextRetryDelay: 7000 });
  });
});
