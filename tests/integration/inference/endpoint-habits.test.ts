// Endpoints with the habits of those in bug reports, and their siblings: real servers, asked by the user, the policy and the proposer.
import type { ServerResponse } from "node:http";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { createChatPolicy } from "#adapters/inference/chat-policy.ts";
import { createInferenceClient } from "#adapters/inference/client.ts";
import { openProposer } from "#adapters/proposer/ask-model.ts";
import { createLlmSimulator, type LlmSimulatorOptions } from "#adapters/simulator/llm.ts";
import { createReplyCache } from "#adapters/simulator/reply-cache.ts";
import { ProposerConfig } from "#contracts/campaign-config.ts";
import { parseArguments } from "#core/exact-json.ts";
import type { Conversation, SimulatorReply } from "#core/ports.ts";
import { TASK, testClock } from "../../unit/core/rollout/parties.ts";
import { type FailingServer, sendJson, startFailingServer } from "./failing-server.ts";

const signal = new AbortController().signal;
const OPENING = { firstUserMessage: null, exchanges: [] };
const CONVERSATION: Conversation = { systemPrompt: "s", tools: [], firstUserMessage: "hi", turns: [] };

let server: FailingServer;
afterEach(() => server?.close());

interface Asked {
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly temperature?: number;
  readonly seed?: number;
}
type Answer = (response: ServerResponse, body: Asked) => void;
const bodies = () => server.requests.map(({ body }) => body as Asked);
const start = async (answer: Answer) => {
  server = await startFailingServer((response) => answer(response, bodies().at(-1) as Asked));
};
const client = (environment = {}, apiKeyEnv?: string) => createInferenceClient({ baseUrl: server.baseUrl, environment, apiKeyEnv });

const whole = (message: object = {}, more: object = {}) => ({
  choices: [{ message: { role: "assistant", content: "I want a seat.", ...message }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  ...more,
});
const json =
  (body: unknown, status = 200): Answer =>
  (response) =>
    sendJson(response, status, body);

async function reply(more: Partial<LlmSimulatorOptions> = {}, notes: string[] = []): Promise<SimulatorReply> {
  const simulator = createLlmSimulator({
    ...{ client: client(), model: "m", temperature: 1, maxTokens: 9, clock: testClock(), limits: { deadlineSeconds: 60 } },
    onWarning: (note) => notes.push(note),
    ...more,
  });
  return simulator.reply(TASK, OPENING, { seed: "0000002a", signal });
}
const failureOf = (more: Partial<LlmSimulatorOptions> = {}) =>
  reply(more).then(
    () => null,
    (error) => error,
  );
const policyOf = (notes: string[] = [], more: { temperature?: number } = {}) =>
  createChatPolicy({
    client: client(),
    ref: { name: "p", hash: "p", manifest: null },
    ...{ temperature: 1, maxTokensPerTurn: 9, maxContextTokens: 64, hasTokenIds: false, onWarning: (note) => notes.push(note) },
    ...more,
  });
const turn = (notes: string[] = [], more: { temperature?: number } = {}) =>
  policyOf(notes, more).respond(CONVERSATION, { seed: 7, signal });

describe("a good answer is used", () => {
  const uncounted = { "provider.unknown-usage": 1 };
  const bytes =
    (body: Uint8Array | string, headers: Record<string, string>): Answer =>
    (response) =>
      void response.writeHead(200, headers).end(body);
  const text = JSON.stringify(whole());

  test.each<[string, Answer, number, number, object | undefined]>([
    ["with half a usage", json(whole({}, { usage: { prompt_tokens: 3 } })), 3, 0, uncounted],
    ["with the other half", json(whole({}, { usage: { completion_tokens: 2 } })), 0, 2, uncounted],
    ["with half a usage and the sum", json(whole({}, { usage: { prompt_tokens: 3, total_tokens: 5 } })), 3, 2, undefined],
    ["with null fields of usage", json(whole({}, { usage: { prompt_tokens: 3, completion_tokens: null } })), 3, 0, uncounted],
    ["with usage in floats", json(whole({}, { usage: { prompt_tokens: 3.0, completion_tokens: 2.5 } })), 3, 3, undefined],
    ["with null for usage", json(whole({}, { usage: null })), 0, 0, uncounted],
    ["with a text for usage", json(whole({}, { usage: "free" })), 0, 0, uncounted],
    ["without usage", json({ choices: whole().choices }), 0, 0, uncounted],
    [
      "in parts",
      json(
        whole({
          content: [
            { type: "text", text: "I want " },
            { type: "text", text: "a seat." },
          ],
        }),
      ),
      3,
      2,
      undefined,
    ],
    [
      "after thoughts",
      json(
        whole({
          content: [
            { type: "thinking", thinking: "hm" },
            { type: "text", text: "I want a seat." },
          ],
        }),
      ),
      3,
      2,
      undefined,
    ],
    ["as plain text", bytes(text, { "content-type": "text/plain; charset=utf-8" }), 3, 2, undefined],
    ["of no type", bytes(text, {}), 3, 2, undefined],
    ["packed with gzip", bytes(gzipSync(text), { "content-type": "application/json", "content-encoding": "gzip" }), 3, 2, undefined],
    ["packed with brotli", bytes(brotliCompressSync(text), { "content-encoding": "br" }), 3, 2, undefined],
    ["packed with deflate", bytes(deflateSync(text), { "content-encoding": "Deflate" }), 3, 2, undefined],
    ["packed with zstd", bytes(zstdCompressSync(text), { "content-encoding": "zstd" }), 3, 2, undefined],
    ["with an empty error beside it", json(whole({}, { error: null })), 3, 2, undefined],
  ])("%s", async (_, answer, promptTokens, completionTokens, troubles) => {
    await start(answer);
    const { content, usage, troubles: found } = await reply();
    expect({ content, usage, troubles: found }).toEqual({
      content: "I want a seat.",
      usage: { promptTokens, completionTokens, calls: 1 },
      troubles,
    });
    expect(await turn()).toMatchObject({ content: "I want a seat.", usage: { promptTokens, completionTokens, calls: 1 } });
  });

  test("whose cost is not all told is said of a policy, once", async () => {
    await start(json(whole({}, { usage: { prompt_tokens: 3 } })));
    const notes: string[] = [];
    const policy = policyOf(notes);
    for (const seed of [1, 2]) await policy.respond(CONVERSATION, { seed, signal });
    expect(notes).toEqual([expect.stringMatching(/^policy p at .*metered as none/)]);
  });

  test("whose thoughts are parts keeps them as reasoning of the policy", async () => {
    await start(
      json(
        whole({
          content: [
            { type: "thinking", thinking: [{ type: "text", text: "hm" }] },
            { type: "text", text: "yes" },
          ],
        }),
      ),
    );
    expect(await turn()).toMatchObject({ content: "yes", reasoning: "hm" });
  });

  test("whose parts hold no words says nothing", async () => {
    await start(json(whole({ content: [{ type: "thinking", thinking: "I should ask." }] })));
    expect(await failureOf()).toMatchObject({ code: "simulator.empty-reply" });
  });
});

describe("an answer that is none is told in a sentence", () => {
  test.each<[string, Answer, string, string]>([
    [
      "a stream",
      (response) => response.writeHead(200, { "content-type": "text/event-stream" }).end("data: {}\n\n"),
      "simulator.invalid-format",
      "stream of events",
    ],
    [
      "a login page",
      (response) => response.writeHead(200, { "content-type": "text/html" }).end("<html><title>Sign in</title>"),
      "simulator.invalid-format",
      'HTML page, "Sign in"',
    ],
    ["nothing", (response) => response.writeHead(200).end(), "simulator.invalid-format", "the answer is empty"],
    [
      "what says it is gzip",
      (response) => response.writeHead(200, { "content-encoding": "gzip" }).end("plain"),
      "simulator.invalid-format",
      "cannot be unpacked",
    ],
    [
      "of an unknown packing",
      (response) => response.writeHead(200, { "content-encoding": "sdch" }).end("x"),
      "simulator.invalid-format",
      'packed as "sdch"',
    ],
    [
      "a page of a gateway",
      (response) => response.writeHead(502).end("<html><title>Bad gateway</title>"),
      "simulator.unavailable",
      'HTTP 502: an HTML page, "Bad gateway"',
    ],
    ["a sentence", (response) => response.writeHead(503).end("upstream is away"), "simulator.unavailable", "HTTP 503: upstream is away"],
    [
      "an empty page that is not there",
      (response) => response.writeHead(404).end(),
      "provider.rejected",
      "HTTP 404: an answer without a word",
    ],
    [
      "a redirect",
      (response) => response.writeHead(307, { location: "https://elsewhere.example.test/v1" }).end(),
      "provider.rejected",
      "HTTP 307: it sends on to https://elsewhere.example.test/v1, and redirects are not followed",
    ],
    ["an error of another shape", json({ detail: "no such deployment" }, 400), "provider.rejected", "HTTP 400: no such deployment"],
    ["a refused proxy", json({}, 407), "provider.unauthorized", "HTTP 407"],
  ])("%s", async (_, answer, code, words) => {
    await start(answer);
    const failure = await failureOf();
    expect(failure).toMatchObject({ code, message: expect.stringContaining(words) });
    expect(failure.message).toContain("user simulator m: ");
  });

  test("whatever a hostile server writes, in one clean line", async () => {
    await start(json({ error: { message: `\u001b[2J\u0000${"x\n".repeat(10_000)}\ud83d`, code: "evil" } }, 400));
    const { message } = await failureOf();
    expect(message.length).toBeLessThan(500);
    expect(message).not.toMatch(/[\p{Cc}\p{Cs}]/u);
  });

  test("without the key, although the server says it back", async () => {
    await start((response) => sendJson(response, 401, { error: { message: "Incorrect API key provided: sesame-42" } }));
    const failure = await failureOf({ client: client({ THE_KEY: "sesame-42" }, "THE_KEY") });
    expect(failure).toMatchObject({ code: "provider.unauthorized", message: expect.stringContaining("Incorrect API key provided: …") });
    expect(failure.message).not.toContain("sesame");
  });
});

describe("an answer that says nothing is told with the reason", () => {
  const choice = (message: object | null, finishReason: string | null, more: object = {}) =>
    json({
      choices: [{ ...(message === null ? {} : { message }), finish_reason: finishReason, ...more }],
      usage: { prompt_tokens: 3, completion_tokens: 9 },
    });

  test.each<[string, Answer, string, RegExp]>([
    [
      "reasoning beside it",
      choice({ content: null, reasoning: "hm" }, "length"),
      "simulator.empty-reply",
      /reasoning used all 9 tokens: raise --max-tokens/,
    ],
    [
      "reasoning under its other name",
      choice({ content: "", reasoning_content: "hm" }, "max_tokens"),
      "simulator.empty-reply",
      /reasoning used all 9 tokens/,
    ],
    [
      "reasoning in tags",
      choice({ content: "<think>I should say ###STOP###" }, "length"),
      "simulator.empty-reply",
      /reasoning used all 9 tokens/,
    ],
    [
      "nothing at all until its limit",
      choice({ content: null }, "MAX_TOKENS"),
      "simulator.empty-reply",
      /cut after all 9 tokens, before its first word/,
    ],
    ["thoughts and no words", choice({ content: "<think>hm</think>" }, "stop"), "simulator.empty-reply", /only thought/],
    ["a call of a tool", choice({ content: null, tool_calls: [{ id: "1" }] }, "tool_calls"), "simulator.empty-reply", /called a tool/],
    ["no message", choice(null, "unknown"), "simulator.empty-reply", /no message \(finish_reason unknown\)/],
    [
      "words that were broken off",
      choice({ content: "I want" }, "abort"),
      "simulator.invalid-format",
      /did not end by itself \(finish_reason abort\)/,
    ],
    [
      "no message, filtered",
      choice(null, "content_filter", { content_filter_results: {} }),
      "simulator.refusal",
      /endpoint filtered the answer/,
    ],
    [
      "half a message, filtered",
      choice({ content: "I want" }, "SAFETY"),
      "simulator.refusal",
      /endpoint filtered the answer \(finish_reason SAFETY\)/,
    ],
    ["a refusal", choice({ content: null, refusal: "I won't." }, "stop"), "simulator.refusal", /the model refused: "I won't."/],
  ])("%s", async (_, answer, code, words) => {
    await start(answer);
    expect(await failureOf()).toMatchObject({ code, message: expect.stringMatching(words) });
    expect(server.requests).toHaveLength(3);
  });

  test("of the policy, where a filter took it or it did not end by itself, is no turn", async () => {
    await start(choice(null, "content_filter"));
    await expect(turn()).rejects.toMatchObject({ code: "provider.rejected", message: expect.stringContaining("filtered") });
    await server.close();
    await start(choice({ content: "I can" }, "abort"));
    await expect(turn()).rejects.toMatchObject({
      code: "provider.invalid-response",
      message: expect.stringContaining("finish_reason abort"),
    });
  });

  test.each<[string | null, string]>([
    [null, "stop"],
    ["eos", "stop"],
    ["end_turn", "stop"],
    ["model_length", "length"],
  ])("and a policy's that ends by %j is read as %s", async (said, finishReason) => {
    await start(choice({ content: "Hello." }, said));
    expect(await turn()).toMatchObject({ content: "Hello.", finishReason });
  });
});

describe("an answer that is cut at its limit", () => {
  const cut = (content: string) => json({ ...whole({ content }), choices: [{ message: { content }, finish_reason: "length" }] });

  test("is taken as it is and counted, and never given again from the cache", async () => {
    await start(cut("I want a seat because"));
    const cache = createReplyCache({ folder: null });
    for (let time = 0; time < 2; time += 1)
      expect(await reply({ temperature: 0, cache })).toMatchObject({
        content: "I want a seat because",
        troubles: { "simulator.cut-answer": 1 },
      });
    expect(server.requests).toHaveLength(2);
  });

  test.each<[string, Answer, RegExp]>([
    ["is cut", cut('{"rationale": "because'), /cut at 4096 tokens: raise --max-tokens/],
    ["is only thought", cut("<think>which tier"), /reasoning used all 2 tokens/],
    ["is refused", json(whole({ content: null, refusal: "I won't." })), /the model refused: "I won't."/],
    ["is filtered", json({ choices: [{ finish_reason: "content_filter" }] }), /filtered/],
  ])("of the proposer that %s is a problem with its name, and costs what is known of it", async (_, answer, problem) => {
    await start(answer);
    const config = ProposerConfig.parse({ baseUrl: server.baseUrl, model: "thinker", attempts: 2 });
    const unread = () => {
      throw new Error("nothing to read");
    };
    const { attempts, proposal, usage } = await openProposer(config, {}, signal, () => {})([], unread);
    expect(attempts.map(({ problem }) => problem)).toEqual([expect.stringMatching(problem), expect.stringMatching(problem)]);
    expect(proposal).toBeNull();
    const { messages: exchange } = bodies().at(-1) as { messages: { content: string }[] };
    expect(exchange.every(({ content }) => content !== "" && !content.includes("<think>"))).toBe(true);
    expect(usage.uncountedCalls).toBe(usage.promptTokens === 0 ? 2 : undefined);
  });
});

describe("the charset of an answer", () => {
  const text = JSON.stringify(whole({ content: "At the café, please." }));
  const sends =
    (bytes: Uint8Array, type: string): Answer =>
    (response) =>
      void response.writeHead(200, { "content-type": type }).end(bytes);
  const marked = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);

  test.each<[string, Uint8Array, string]>([
    ["latin-1", Buffer.from(text, "latin1"), "application/json; charset=iso-8859-1"],
    ["latin-1 in quotes", Buffer.from(text, "latin1"), 'application/json; Charset="ISO-8859-1"'],
    ["UTF-16", Buffer.from(text, "utf16le"), "application/json; charset=utf-16le"],
    ["UTF-16 by its mark", marked, "application/json"],
    ["UTF-8 with a mark", Buffer.from(`\ufeff${text}`), "application/json; charset=utf8"],
    ["none", Buffer.from(text), "application/json"],
  ])("%s is read by it", async (_, bytes, type) => {
    await start(sends(bytes, type));
    expect((await reply()).content).toBe("At the café, please.");
  });

  test.each<[string, Uint8Array, string, string]>([
    ["unknown", Buffer.from(text), "application/json; charset=klingon", 'charset "klingon"'],
    ["not the one that is named", Buffer.from(text, "latin1"), "application/json; charset=utf-8", "says that it is utf-8, and is not"],
    ["not named and not UTF-8", Buffer.from(text, "latin1"), "application/json", "names no charset and is not UTF-8"],
  ])("%s is refused by name: no letter is guessed", async (_, bytes, type, words) => {
    await start(sends(bytes, type));
    expect(await failureOf()).toMatchObject({ code: "simulator.invalid-format", message: expect.stringContaining(words) });
  });
});

describe("an error inside a good answer", () => {
  test.each<[object, string, number]>([
    [{ error: { message: "Invalid API key", code: 401 } }, "provider.unauthorized", 1],
    [{ error: { message: "no such model", code: 404 } }, "provider.rejected", 1],
    [{ error: { message: "bad request", code: 400 } }, "provider.rejected", 1],
    [{ error: { message: "out of money", code: "insufficient_quota" } }, "provider.unauthorized", 1],
    [{ error: { message: "something odd" } }, "simulator.invalid-format", 3],
  ])("%j is incurable, or tried as often as any other bad answer", async (body, code, numRequests) => {
    await start(json(body));
    const { error } = body as { error: { message: string } };
    expect(await failureOf()).toMatchObject({ code, message: expect.stringContaining(error.message) });
    expect(server.requests).toHaveLength(numRequests);
  });

  test.each<[object, string]>([
    [{ error: { message: "slow down", code: 429 } }, "provider.rate-limited"],
    [{ error: { message: "Provider returned error", code: 502 } }, "provider.unavailable"],
    [{ error: "model is loading" }, "provider.unavailable"],
    [{ choices: [{ message: { content: "cut" }, error: { message: "upstream went away", code: 502 } }] }, "provider.unavailable"],
  ])("%j is waited for", async (body, trouble) => {
    await start((response) => sendJson(response, 200, server.requests.length === 1 ? body : whole()));
    expect(await reply()).toMatchObject({ content: "I want a seat.", troubles: { [trouble]: 1 }, usage: { calls: 2 } });
  });

  test("of the policy's server is what the same status would be", async () => {
    await start(json({ error: { message: "Provider returned error", code: 502 } }));
    await expect(turn()).rejects.toMatchObject({
      code: "provider.unavailable",
      message: "policy p: HTTP 200 with an error 502 inside: Provider returned error",
    });
  });
});

describe("a field that an endpoint refuses", () => {
  const OPENAI = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
  const refuse = (response: ServerResponse, message: string, status = 400, more: object = {}) =>
    sendJson(response, status, { error: { message, type: "invalid_request_error", ...more } });

  test.each<[string, (response: ServerResponse) => void]>([
    ["OpenAI", (response) => refuse(response, OPENAI, 400, { param: "max_tokens", code: "unsupported_parameter" })],
    ["a router, as 500", (response) => refuse(response, `litellm.BadRequestError: OpenAIException - ${OPENAI}`, 500)],
    ["a router, inside 200", (response) => sendJson(response, 200, { error: { message: OPENAI, code: 400 } })],
    [
      "a strict server",
      (response) => sendJson(response, 422, { detail: [{ loc: ["body", "max_tokens"], msg: "Extra inputs are not permitted" }] }),
    ],
  ])("as the limit is sent under its other name, and only so from then on (%s)", async (_, refusing) => {
    await start((response, body) => (body.max_tokens === undefined ? sendJson(response, 200, whole()) : refusing(response)));
    const notes: string[] = [];
    expect(await reply({}, notes)).toEqual({ content: "I want a seat.", usage: { promptTokens: 3, completionTokens: 2, calls: 1 } });
    expect(await reply({}, notes)).toMatchObject({ content: "I want a seat." });
    expect(bodies().map((body) => body.max_completion_tokens ?? null)).toEqual([null, 9, 9]);
    expect(notes).toEqual([expect.stringMatching(/user simulator m at .*max_completion_tokens/)]);
  });

  test("is another one for another model of the same endpoint", async () => {
    await start((response, body) => (body.max_tokens === undefined ? sendJson(response, 200, whole()) : refuse(response, OPENAI)));
    await reply();
    await reply({ model: "another" });
    expect(bodies().map(({ max_tokens }) => max_tokens ?? null)).toEqual([9, null, 9, null]);
  });

  test("may be the newer name as well", async () => {
    await start((response, body) =>
      body.max_completion_tokens === undefined
        ? sendJson(response, 200, whole())
        : refuse(response, "Unrecognized request argument supplied: max_completion_tokens"),
    );
    expect(await reply({ tokenLimitField: "max_completion_tokens" })).toMatchObject({ content: "I want a seat." });
  });

  test("as the limit, under both names, is told with what was tried, and not remembered", async () => {
    await start((response) => refuse(response, OPENAI));
    const notes: string[] = [];
    const failure = await reply({}, notes).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "provider.rejected",
      message: expect.stringMatching(/Use 'max_completion_tokens' instead.*tokenLimitField/),
    });
    expect(notes).toEqual([]);
    expect(server.requests).toHaveLength(2);
  });

  test("as the seed is left out of a user's request", async () => {
    await start((response, body) =>
      body.seed === undefined ? sendJson(response, 200, whole()) : refuse(response, "Unrecognized request argument supplied: seed"),
    );
    const notes: string[] = [];
    await reply({}, notes);
    expect(notes).toEqual([expect.stringContaining("hasSeed: false")]);
  });

  test("one after the other, all are adapted", async () => {
    await start((response, body) => {
      if (body.max_tokens !== undefined) return refuse(response, OPENAI);
      if (body.seed !== undefined) return refuse(response, "property 'seed' is unsupported");
      if (body.temperature !== undefined) return refuse(response, "`temperature` is deprecated for this model.");
      sendJson(response, 200, whole());
    });
    const notes: string[] = [];
    expect(await reply({}, notes)).toMatchObject({ content: "I want a seat.", usage: { calls: 1 } });
    expect(notes).toHaveLength(3);
  });

  const DEFAULT_ONLY = "Unsupported value: 'temperature' does not support 0.5 with this model. Only the default (1) value is supported.";
  test("as a temperature that means something is refused with what to set: nothing is sampled otherwise without a word", async () => {
    await start((response, body) =>
      body.temperature === 1 || body.temperature === undefined ? sendJson(response, 200, whole()) : refuse(response, DEFAULT_ONLY),
    );
    expect(await failureOf({ temperature: 0.5 })).toMatchObject({
      code: "provider.rejected",
      next: expect.stringContaining("temperature: 1"),
    });
    expect(server.requests).toHaveLength(1);
    expect(await reply()).toMatchObject({ content: "I want a seat." });
  });

  test("of a policy is adapted for the limit, and never for what its tokens are trained by", async () => {
    const notes: string[] = [];
    await start((response, body) => (body.max_tokens === undefined ? sendJson(response, 200, whole()) : refuse(response, OPENAI)));
    expect(await turn(notes)).toMatchObject({ content: "I want a seat.", usage: { calls: 1 } });
    expect(notes).toEqual([expect.stringContaining("policy p")]);
    for (const message of ["Unrecognized request argument supplied: seed", "`temperature` is deprecated for this model."]) {
      await server.close();
      await start((response) => refuse(response, message));
      await expect(turn()).rejects.toMatchObject({ code: "provider.rejected", next: expect.stringContaining("trained") });
      expect(server.requests).toHaveLength(1);
    }
  });

  test("of the proposer is adapted for the limit, and its temperature of 0 refused with what to set", async () => {
    const notes: string[] = [];
    await start((response, body) => {
      if (body.max_tokens !== undefined) return refuse(response, OPENAI);
      if (body.temperature !== 1) return refuse(response, DEFAULT_ONLY.replace("0.5", "0"));
      sendJson(response, 200, whole({ content: [{ type: "text", text: "{}" }] }));
    });
    const propose = (temperature: number) => {
      const config = ProposerConfig.parse({ baseUrl: server.baseUrl, model: "thinker", temperature });
      return openProposer(config, {}, signal, (note) => notes.push(note))([], () => ({ proposal: null, problem: "no table" }));
    };
    await expect(propose(0)).rejects.toMatchObject({ code: "provider.rejected", next: expect.stringContaining("--temperature 1") });
    expect((await propose(1)).attempts[0]).toEqual({ answer: "{}", problem: "no table" });
    expect(notes).toEqual([expect.stringContaining("proposer thinker")]);
  });

  test("is none where a value is too large", async () => {
    await start((response) => refuse(response, "max_tokens is too large: 100000. This model supports at most 16384 completion tokens."));
    expect(await failureOf()).toMatchObject({ code: "provider.rejected", message: expect.stringContaining("too large") });
    expect(server.requests).toHaveLength(1);
  });
});

describe("a call without arguments", () => {
  test.each(["", " ", "{}", "null", null, undefined])("written as %j is one with none", async (given) => {
    const call = { id: "c", type: "function", function: { name: "list_all_airports", arguments: given } };
    await start(json(whole({ content: null, tool_calls: [call] })));
    const { toolCalls, parseError } = await turn();
    expect(parseError).toBeNull();
    expect(parseArguments(toolCalls[0]?.argumentsJson ?? "?")).toEqual({});
  });

  test.each(["[]", "7", '"a"', "{"])("is not meant by %j", async (given) => {
    const call = { id: "c", type: "function", function: { name: "list_all_airports", arguments: given } };
    await start(json(whole({ content: null, tool_calls: [call] })));
    expect((await turn()).parseError).toContain("not a JSON object");
  });
});
