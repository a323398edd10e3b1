import { describe, expect, test } from "vitest";
import { PolicyConfig, TrainingConfig } from "#contracts/campaign-config.ts";
import { checkPolicy } from "#core/campaign/check-policy.ts";

const vllm = { type: "vllm", baseUrl: "http://127.0.0.1:8000/v1", model: "m", checkpoint: "models/m" };

function check(policy: object, adapter: object = {}): void {
  const training = TrainingConfig.parse({ adapter, hyperparameters: { learningRate: 1e-5 } });
  checkPolicy({ policy: PolicyConfig.parse({ ...vllm, ...policy }), training });
}

describe("a policy behind vLLM", () => {
  test.each([
    [{}, {}],
    [{ start: {} }, {}],
    [{ start: {}, weights: "full" }, {}],
    [{ start: {}, baseUrl: "http://[::1]:8000/v1" }, {}],
    [{ start: { maxAdapterRank: 64 } }, { rank: 64 }],
    [{ baseUrl: "http://gpu-1:8000/v1" }, { rank: 64 }],
  ])("may be %j with adapters %j", (policy, adapter) => {
    expect(() => check(policy, adapter)).not.toThrow();
  });

  test.each([
    [{ temperature: 0.7 }, {}, "temperature"],
    [{ weights: "full" }, {}, "weights"],
    [{ start: {}, baseUrl: "http://gpu-1:8000/v1" }, {}, "another one"],
    [{ start: {}, baseUrl: "http://127.0.0.1.example.org/v1" }, {}, "another one"],
    [{ start: {} }, { rank: 64 }, "maxAdapterRank"],
  ])("may not be %j with adapters %j", (policy, adapter, message) => {
    expect(() => check(policy, adapter)).toThrow(
      expect.objectContaining({ code: "config.invalid", message: expect.stringContaining(message), next: expect.any(String) }),
    );
  });
});
