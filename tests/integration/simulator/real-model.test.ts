// The four strategies with a real model behind a real server: our own, with a tiny random Qwen3, whose sampling is exact in the seed.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createInferenceClient } from "#adapters/inference/client.ts";
import { createLlmSimulator } from "#adapters/simulator/llm.ts";
import { CampaignError } from "#core/errors.ts";
import type { SimulatorView } from "#core/ports.ts";
import { SimulatorFailure } from "#core/rollout/simulator-failure.ts";
import type { StrategyName } from "#simulators/llm/strategies.ts";
import { longTemporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPython } from "../../support/python.ts";
import { makeTinyModel, startPolicyServer, type TestPolicyServer } from "../../support/tiny-policy.ts";
import { TASK } from "../../unit/core/rollout/parties.ts";

const VIEW: SimulatorView = { firstUserMessage: "hello", exchanges: [{ agent: "How many?", user: null }] };

describe.skipIf(!hasPython)("with a real model as the user", () => {
  const folder = longTemporaryFolder();
  let server: TestPolicyServer;

  beforeAll(async () => {
    const directory = join(folder, "tiny");
    makeTinyModel({
      directory,
      specialTokens: ["<|im_end|>", "<|im_start|>"],
      corpus: ["Thought: User Response: Reflection: Response: true false customer agent"],
      maxPositions: 4096,
      endScale: 9,
    });
    server = await startPolicyServer(folder, ["--preload", `tiny=${directory}`, "--max-context", "4096"]);
  }, 300_000);
  afterAll(() => server?.kill());

  /** What became of a reply: its words and cost, or why it was given up and what it cost. */
  async function ask(strategy: StrategyName, seed: string) {
    const client = createInferenceClient({ baseUrl: `${server.url}/v1`, environment: {} });
    const simulator = createLlmSimulator({ client, model: "tiny", temperature: 1, maxTokens: 24, strategy });
    try {
      return await simulator.reply(TASK, VIEW, { seed, signal: new AbortController().signal });
    } catch (error) {
      if (!(error instanceof SimulatorFailure)) throw error;
      return { code: error.code, usage: error.usage, troubles: error.troubles };
    }
  }

  test.each<StrategyName>(["llm", "react", "verify", "reflection"])(
    "%s answers or gives up with a type of its own, is metered, and repeats itself for a seed",
    async (strategy) => {
      const [once, again] = [await ask(strategy, "0000002a"), await ask(strategy, "0000002a")];
      expect(again).toEqual(once);
      expect(once.usage.calls).toBeGreaterThanOrEqual(1);
      expect(once.usage.promptTokens).toBeGreaterThan(once.usage.calls * 10);
      if ("code" in once) expect(once.code).toMatch(/^simulator\./);
      else expect(once.content).not.toBe("");
    },
    120_000,
  );

  test("llm says something else for another seed", async () => {
    const replies = await Promise.all(["00000001", "00000002", "00000003", "00000004"].map((seed) => ask("llm", seed)));
    expect(new Set(replies.map((reply) => JSON.stringify(reply))).size).toBeGreaterThan(1);
  }, 120_000);

  test("a prompt that is too long for the model is not asked again", async () => {
    const client = createInferenceClient({ baseUrl: `${server.url}/v1`, environment: {} });
    const simulator = createLlmSimulator({ client, model: "tiny", temperature: 1, maxTokens: 24 });
    const task = { ...TASK, instruction: "x ".repeat(8000) };
    const failure = await simulator.reply(task, VIEW, { seed: "1", signal: new AbortController().signal }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CampaignError);
    expect(failure).toMatchObject({ code: "provider.context-overflow", usage: { calls: 1 } });
  }, 120_000);
});
