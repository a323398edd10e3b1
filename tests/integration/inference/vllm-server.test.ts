// The vLLM side of PolicyServer against answers in the shape that vLLM documents (LoRA adapters at run time; prompt_logprobs).
// Not a test of vLLM itself: that needs a GPU host. started-vllm.test.ts has the whole path against a server that really computes.
import { afterEach, describe, expect, test } from "vitest";
import { createInferenceClient } from "#adapters/inference/client.ts";
import type { PolicyServer, ServablePolicy } from "#adapters/inference/policy-server.ts";
import { createVllmServer } from "#adapters/inference/vllm/vllm-server.ts";
import { type FailingServer, sendJson, startFailingServer } from "./failing-server.ts";

const signal = new AbortController().signal;
const full: ServablePolicy = { name: "pol-0", directory: "/policies/0", fileHashes: { "model.safetensors": "c" }, base: null };
const adapter = (number: number): ServablePolicy => ({
  name: `pol-${number}`,
  directory: `/policies/${number}`,
  fileHashes: { "adapter_config.json": "a", "adapter_model.safetensors": "b" },
  base: full,
});

let http: FailingServer;
afterEach(() => http.close());

type Card = string | { id: string; root: string };

/** A server that lists `models`, and what it is told to load. */
async function serverWith(models: Card[], { other = {}, loads = true }: { other?: unknown; loads?: boolean } = {}): Promise<PolicyServer> {
  const cards = models.map((card) => (typeof card === "string" ? { id: card } : card));
  http = await startFailingServer((response, request) => {
    const last = http.requests.at(-1)?.body as { lora_name: string; lora_path: string } | null;
    if (request.url === "/v1/load_lora_adapter" && last !== null && loads) cards.push({ id: last.lora_name, root: last.lora_path });
    sendJson(response, 200, request.url === "/v1/models" ? { object: "list", data: cards } : other);
  });
  const client = createInferenceClient({ baseUrl: http.baseUrl, environment: {} });
  return createVllmServer(client, { baseModel: "Qwen/Qwen3-4B", maxAdapters: 2 });
}

describe("vLLM", () => {
  test("is given an adapter under the policy's own name, once", async () => {
    const server = await serverWith(["Qwen/Qwen3-4B"]);
    await server.ensureLoaded(adapter(1), signal);
    await server.ensureLoaded(adapter(1), signal);
    const loads = http.requests.filter(({ path }) => path === "/v1/load_lora_adapter");
    expect(loads).toMatchObject([{ body: { lora_name: "pol-1", lora_path: "/policies/1" } }]);
  });

  test("that holds another adapter under the name is found out by its directory", async () => {
    const server = await serverWith(["Qwen/Qwen3-4B", { id: "pol-1", root: "/policies/7" }]);
    await expect(server.ensureLoaded(adapter(1), signal)).rejects.toMatchObject({ code: "provider.wrong-weights" });
  });

  test("is not given weights under a name without their hash", async () => {
    const server = await serverWith(["Qwen/Qwen3-4B"]);
    await expect(server.ensureLoaded({ ...adapter(1), name: "pol-latest" }, signal)).rejects.toMatchObject({ code: "contract.invalid" });
    expect(http.requests).toEqual([]);
  });

  test("that says it loaded an adapter must list it", async () => {
    const server = await serverWith(["Qwen/Qwen3-4B"], { loads: false });
    await expect(server.ensureLoaded(adapter(1), signal)).rejects.toMatchObject({ code: "provider.wrong-weights" });
  });

  test("is left with the adapters that were used last", async () => {
    const server = await serverWith(["Qwen/Qwen3-4B"]);
    for (const number of [1, 2, 1, 3]) await server.ensureLoaded(adapter(number), signal);
    const unloads = http.requests.filter(({ path }) => path === "/v1/unload_lora_adapter");
    expect(unloads.map(({ body }) => body)).toEqual([{ lora_name: "pol-2" }]);
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
    const prompt_logprobs = [null, { "8": entry(-1) }, { "9": entry(-0.25), "3": entry(-4) }, { "3": entry(0) }];
    const server = await serverWith([], { other: { choices: [{ prompt_logprobs }] } });
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
