// The vLLM side of PolicyServer against answers in the shape that vLLM documents (LoRA adapters at run time; prompt_logprobs).
// Not a test of vLLM itself: that needs a GPU host.
import { afterEach, describe, expect, test } from "vitest";
import { createInferenceClient } from "#adapters/inference/client.ts";
import { createVllmServer, type PolicyServer } from "#adapters/inference/policy-server.ts";
import { type FailingServer, sendJson, startFailingServer } from "./failing-server.ts";

const signal = new AbortController().signal;
const adapter = { name: "pol-1", directory: "/policies/1", fileHashes: { "adapter_config.json": "a", "adapter_model.safetensors": "b" } };
const full = { name: "pol-0", directory: "/policies/0", fileHashes: { "model.safetensors": "c" } };

let http: FailingServer;
afterEach(() => http.close());

async function serverWith(models: string[], other: unknown = {}): Promise<PolicyServer> {
  http = await startFailingServer((response, request) =>
    sendJson(response, 200, request.url === "/v1/models" ? { object: "list", data: models.map((id) => ({ id, object: "model" })) } : other),
  );
  return createVllmServer(createInferenceClient({ baseUrl: http.baseUrl, environment: {} }), "Qwen/Qwen3-4B");
}

describe("vLLM", () => {
  test("is given an adapter under the policy's own name, once", async () => {
    await (await serverWith(["Qwen/Qwen3-4B"])).ensureLoaded(adapter, signal);
    expect(http.requests.at(-1)).toMatchObject({ path: "/v1/load_lora_adapter", body: { lora_name: "pol-1", lora_path: "/policies/1" } });
    await http.close();
    await (await serverWith(["Qwen/Qwen3-4B", "pol-1"])).ensureLoaded(adapter, signal);
    expect(http.requests.map(({ path }) => path)).toEqual(["/v1/models"]);
  });

  test("must serve the base model that the campaign names", async () => {
    await (await serverWith(["Qwen/Qwen3-4B"])).ensureLoaded(full, signal);
    await http.close();
    await expect((await serverWith(["another"])).ensureLoaded(full, signal)).rejects.toMatchObject({
      code: "provider.rejected",
      message: expect.stringContaining("another"),
    });
  });

  test("scores stored turns as prompt log-probabilities; a token that it leaves out is no number", async () => {
    const entry = (logprob: number) => ({ logprob, rank: 1, decoded_token: "x" });
    const server = await serverWith([], {
      choices: [{ prompt_logprobs: [null, { "8": entry(-1) }, { "9": entry(-0.25), "3": entry(-4) }, { "3": entry(0) }] }],
    });
    const scores = await server.score("pol-1", { tokenIds: [7, 8, 9, 4], start: 2, logprobs: [0, 0] }, 1, signal);
    expect(scores).toEqual([-0.25, Number.NaN]);
    await expect(server.score("pol-1", { tokenIds: [7], start: 0, logprobs: [] }, 0.9, signal)).rejects.toMatchObject({
      code: "config.invalid",
    });
  });

  test("answers for its health and its models", async () => {
    const server = await serverWith(["a", "b"]);
    await server.checkHealth(signal);
    expect(http.requests.at(-1)?.path).toBe("/health");
    expect(await server.loadedPolicies(signal)).toEqual(["a", "b"]);
  });
});
