import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { checkAddress } from "#adapters/http/check-address.ts";
import { createChatPolicy } from "#adapters/inference/chat-policy.ts";
import { createInferenceClient } from "#adapters/inference/client.ts";
import { createTokenPolicy } from "#adapters/inference/token-policy.ts";
import { createLlmSimulator } from "#adapters/simulator/llm.ts";
import type { Conversation, Policy, UserSimulator } from "#core/ports.ts";
import type { PromptFormat, Tokenizer } from "#core/prompt-format/prompt-format.ts";
import { TASK } from "../../unit/core/rollout/parties.ts";
import { type FailingServer, sendJson, startFailingServer } from "./failing-server.ts";

const conversation: Conversation = { systemPrompt: "s", tools: [], firstUserMessage: "hi", turns: [] };
const options = { seed: 1, signal: new AbortController().signal };
const ref = { name: "p-1", hash: "1", manifest: null };
const limits = { temperature: 1, maxTokensPerTurn: 8, maxContextTokens: 64 };
const letters: Tokenizer = {
  encode: (text) => Array.from(text, (letter) => letter.charCodeAt(0)),
  decode: (ids) => String.fromCharCode(...ids),
  specialId: () => 0,
};
const plain: PromptFormat = {
  id: "plain/1",
  stopTokens: ["<e>"],
  renderPrompt: ({ firstUserMessage }) => [{ text: firstUserMessage }],
  parseTurn: (content) => ({ content, toolCalls: [], parseError: null }),
};

let server: FailingServer;
afterEach(() => server?.close());

const clientOf = (baseUrl: string, more: { timeoutSeconds?: number; apiKeyEnv?: string } = {}) =>
  createInferenceClient({ baseUrl, environment: { THE_KEY: "sesame" }, ...more });
async function policyAt(
  answer: (response: ServerResponse) => void,
  more: { timeoutSeconds?: number; apiKeyEnv?: string } = {},
): Promise<Policy> {
  server = await startFailingServer(answer);
  return createTokenPolicy({ client: clientOf(server.baseUrl, more), ref, format: plain, tokenizer: letters, ...limits });
}
async function simulatorAt(answer: (response: ServerResponse) => void): Promise<UserSimulator> {
  server = await startFailingServer(answer);
  return createLlmSimulator({ client: clientOf(server.baseUrl), model: "m", temperature: 1, maxTokens: 9 });
}
const error = (message: string, code: string | null = null) => ({ error: { message, code } });
const completion = (choice: object, usage: object = { prompt_tokens: 2, completion_tokens: 1 }) => ({ choices: [choice], usage });

describe("a provider that answers", () => {
  test.each([
    [401, error("bad key"), "provider.unauthorized"],
    [403, error("not yours"), "provider.unauthorized"],
    [404, error("no such model"), "provider.model-missing"],
    [400, error("This model's maximum context length is 64 tokens"), "provider.context-overflow"],
    [400, error("prompt too big", "context_length_exceeded"), "provider.context-overflow"],
    [400, error("unknown field"), "provider.rejected"],
    [302, {}, "provider.rejected"],
    [429, error("slow down"), "provider.rate-limited"],
    [429, error("you are broke", "insufficient_quota"), "provider.unauthorized"],
    [408, error("late"), "provider.timeout"],
    [500, error("oops"), "provider.unavailable"],
    [503, error("overloaded"), "provider.unavailable"],
    [200, { choices: [] }, "provider.invalid-response"],
    [200, completion({ token_ids: [7, 0], finish_reason: "stop", logprobs: { token_logprobs: [-1] } }), "provider.invalid-response"],
    [200, completion({ token_ids: [7], finish_reason: "stop", logprobs: { token_logprobs: [-1] } }), "provider.invalid-response"],
    [
      200,
      completion({ token_ids: [0], finish_reason: "stop", logprobs: { token_logprobs: [-1] } }, { prompt_tokens: 1, completion_tokens: 1 }),
      "provider.invalid-response",
    ],
    [200, completion({ text: "hi", finish_reason: "stop" }), "provider.invalid-response"],
  ])("%i %j fails as %s %s", async (status, body, code) => {
    const policy = await policyAt((response) => sendJson(response, status, body, { location: "http://127.0.0.1:9/" }));
    await expect(policy.respond(conversation, options)).rejects.toMatchObject({ name: "CampaignError", code });
    expect(server.requests).toHaveLength(1);
  });

  test("something that is not JSON fails as provider.invalid-response", async () => {
    const policy = await policyAt((response) => response.writeHead(200, { "content-type": "application/json" }).end("<html>"));
    await expect(policy.respond(conversation, options)).rejects.toMatchObject({ code: "provider.invalid-response" });
  });

  test.each([
    ["7", 7],
    ["0.5", 0.5],
    [new Date(Date.now() + 60_000).toUTCString(), 59],
  ])("429 with Retry-After %s says how long to stay away", async (header, seconds) => {
    const policy = await policyAt((response) => sendJson(response, 429, error("slow"), { "retry-after": header }));
    const failure = await policy.respond(conversation, options).catch((reason) => reason);
    expect(failure.retryAfterSeconds).toBeGreaterThanOrEqual(seconds - 1);
    expect(failure.retryAfterSeconds).toBeLessThanOrEqual(seconds + 1.1);
  });

  test("is asked once, with vLLM's fields and the key of the named variable", async () => {
    const policy = await policyAt((response) => sendJson(response, 500, {}), { apiKeyEnv: "THE_KEY" });
    await expect(policy.respond(conversation, { ...options, seed: 42 })).rejects.toThrow();
    expect(server.requests).toMatchObject([
      {
        path: "/v1/completions",
        headers: { authorization: "Bearer sesame" },
        body: { model: "p-1", prompt: [104, 105], max_tokens: 8, temperature: 1, seed: 42, return_token_ids: true, stop_token_ids: [0] },
      },
    ]);
  });
});

describe("a provider that does not answer", () => {
  test("in time fails as provider.timeout", async () => {
    const policy = await policyAt(() => {}, { timeoutSeconds: 0.2 });
    await expect(policy.respond(conversation, options)).rejects.toMatchObject({ code: "provider.timeout" });
  });

  test("because nobody listens fails as provider.unavailable, with the cause", async () => {
    const policy = await policyAt(() => {});
    await server.close();
    await expect(policy.respond(conversation, options)).rejects.toMatchObject({
      code: "provider.unavailable",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });

  test("because it died in the middle fails as provider.unavailable", async () => {
    const policy = await policyAt((response) => response.destroy());
    await expect(policy.respond(conversation, options)).rejects.toMatchObject({ code: "provider.unavailable" });
  });

  test("is given up at once when the caller aborts, with the caller's reason", async () => {
    const controller = new AbortController();
    const policy = await policyAt(() => controller.abort(new Error("cancelled")));
    await expect(policy.respond(conversation, { seed: 1, signal: controller.signal })).rejects.toThrow("cancelled");
  });
});

test("a prompt that fills the context is not even sent", async () => {
  const policy = await policyAt((response) => sendJson(response, 200, {}));
  await expect(policy.respond({ ...conversation, firstUserMessage: "x".repeat(64) }, options)).rejects.toMatchObject({
    code: "provider.context-overflow",
  });
  expect(server.requests).toHaveLength(0);
});

test("a chat server without token ids is refused by a policy that is to be trained", async () => {
  server = await startFailingServer((response) =>
    sendJson(response, 200, completion({ message: { content: "hello" }, finish_reason: "stop" })),
  );
  const client = clientOf(server.baseUrl);
  await expect(createChatPolicy({ client, ref, ...limits }).respond(conversation, options)).rejects.toMatchObject({
    code: "provider.rejected",
  });
  const turn = await createChatPolicy({ client, ref, hasTokenIds: false, ...limits }).respond(conversation, options);
  expect(turn).toMatchObject({ content: "hello", tokens: null, parseError: null });
});

describe("a user simulator", () => {
  const view = { firstUserMessage: null, exchanges: [] };
  const says =
    (content: string | null, more: object = {}) =>
    (response: ServerResponse) =>
      sendJson(response, 200, { choices: [{ message: { content, ...more } }], usage: { prompt_tokens: 5, completion_tokens: 2 } });

  test.each([
    ["nothing", says("  "), "simulator.empty-reply"],
    ["null", says(null), "simulator.empty-reply"],
    ["a refusal", says(null, { refusal: "I won't" }), "simulator.refusal"],
    ["a refusal in words", says("I'm sorry, but I can't help with that."), "simulator.refusal"],
    ["the agent's part", says("Thank you for contacting us! How can I help you today?"), "simulator.role-confusion"],
    ["the end before the beginning", says("###STOP###"), "simulator.premature-stop"],
    ["404, which waiting cannot heal", (response: ServerResponse) => sendJson(response, 404, error("no model")), "provider.rejected"],
  ])("that says %s fails with a type of its own", async (_name, answer, code) => {
    const simulator = await simulatorAt(answer);
    await expect(simulator.reply(TASK, view, { seed: "s", signal: options.signal })).rejects.toMatchObject({ code });
  });

  test("hears the conversation with roles turned round, and is metered", async () => {
    const simulator = await simulatorAt(says(" yes, please "));
    const heard = {
      firstUserMessage: "one",
      exchanges: [
        { agent: "two", user: "three" },
        { agent: "four", user: null },
      ],
    };
    const reply = await simulator.reply(TASK, heard, { seed: "0000002a", signal: options.signal });
    expect(reply).toEqual({ content: "yes, please", usage: { promptTokens: 5, completionTokens: 2, calls: 1 } });
    const [request] = server.requests;
    if (request === undefined) throw new Error("no request came");
    const { messages, seed } = request.body as { messages: { role: string; content: string }[]; seed: number };
    expect(messages.slice(1).map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant", "user"]);
    expect(messages[0]?.content).toContain(TASK.instruction);
    expect(messages.at(-1)?.content).toBe("four");
    expect(seed).toBe(42);
  });
});

describe("an endpoint's address", () => {
  test.each([
    ["ftp://host/v1", undefined],
    ["file:///etc/passwd", undefined],
    ["nonsense", undefined],
    ["http://user:secret@host/v1", undefined],
    ["http://example.org/v1", []],
    ["http://gpu.example.org/v1", ["example.org", "gpu"]],
    ["http://127.0.0.1.example.org/v1", []],
  ])("%s is refused (allowed hosts: %j)", (address, allowedHosts) => {
    expect(() => checkAddress(address, allowedHosts)).toThrow(expect.objectContaining({ code: "config.invalid" }));
  });

  test("on a named host is allowed", () => {
    expect(() => checkAddress("http://gpu-1:8000/v1", ["gpu-1"])).not.toThrow();
  });

  test("with credentials in it is refused without repeating them", () => {
    expect(() => checkAddress("http://user:secret@host/v1")).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("secret") }),
    );
  });

  test.each(["http://127.0.0.1:1/v1", "http://localhost:1", "http://[::1]:2/v1"])("%s is this machine", (address) => {
    expect(() => checkAddress(address, [])).not.toThrow();
  });

  test("whose key is not set fails as provider.unauthorized, by the variable's name", () => {
    expect(() => clientOf("http://127.0.0.1:1/v1", { apiKeyEnv: "NO_KEY" })).toThrow(
      expect.objectContaining({ code: "provider.unauthorized", message: expect.stringContaining("NO_KEY") }),
    );
  });
});
