import { expect, test } from "vitest";
import { RolloutPurpose } from "#contracts/manifests.ts";
import { userHelpFor } from "#core/rollout/user-help.ts";

test("only rollouts that are trained on are helped, unless a campaign says otherwise of those that measure", () => {
  for (const purpose of RolloutPurpose.options) {
    expect(userHelpFor(purpose, "count")).toBe(purpose === "train" ? "judge" : "count");
    expect(userHelpFor(purpose, "judge")).toBe("judge");
  }
});
