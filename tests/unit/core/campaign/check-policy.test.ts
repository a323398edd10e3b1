import { describe, expect, test } from "vitest";
import { PolicyConfig } from "#contracts/campaign-config.ts";
import { checkPolicy } from "#core/campaign/check-policy.ts";

const vllm = { type: "vllm", baseUrl: "http://127.0.0.1:8000/v1", model: "m", checkpoint: "models/m" };

const check = (policy: object): void => checkPolicy({ policy: PolicyConfig.parse({ ...vllm, ...policy }) });

describe("a policy behind vLLM", () => {
  test.each([
    {},
    { start: {} },
    { start: {}, weights: "full" },
    { start: {}, baseUrl: "http://[::1]:8000/v1" },
    { baseUrl: "http://gpu-1:8000/v1" },
  ])("may be %j", (policy) => {
    expect(() => check(policy)).not.toThrow();
  });

  test.each([
    [{ temperature: 0.7 }, "temperature"],
    [{ weights: "full" }, "weights"],
    [{ start: {}, baseUrl: "http://gpu-1:8000/v1" }, "another one"],
    [{ start: {}, baseUrl: "http://127.0.0.1.example.org/v1" }, "another one"],
  ])("may not be %j", (policy, message) => {
    expect(() => check(policy)).toThrow(
      expect.objectContaining({ code: "config.invalid", message: expect.stringContaining(message), next: expect.any(String) }),
    );
  });
});
