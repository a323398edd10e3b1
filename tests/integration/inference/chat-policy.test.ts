// A policy over chat completions on our own server: the room that a turn gets, the fields that a campaign adds, and reasoning.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { LocalTurnJournal } from "#adapters/artifact-store/journal.ts";
import { type ChatPolicyOptions, createChatPolicy } from "#adapters/inference/chat-policy.ts";
import { createInferenceClient } from "#adapters/inference/client.ts";
import { Trajectory, type Turn } from "#contracts/trajectory.ts";
import type { AgentTurnRecord, Conversation, Policy } from "#core/ports.ts";
import { runTrajectory } from "#core/rollout/run-trajectory.ts";
import { longTemporaryFolder, temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPython } from "../../support/python.ts";
import { makeTinyModel, startPolicyServer, type TestPolicyServer } from "../../support/tiny-policy.ts";
import { counter, TASK, user } from "../../unit/core/rollout/parties.ts";
import { type FailingServer, sendJson, startFailingServer } from "./failing-server.ts";

const options = { seed: 7, signal: new AbortController().signal };
const SERVERS_CONTEXT = 96;
const TEMPLATE = `{%- for m in messages %}<|im_start|>{{ m.role }} {{ m.reasoning_content or '' }}{{ m.content }}<|im_end|>{% endfor -%}
<|im_start|>{{ 'assistant quietly' if is_quiet else 'assistant' }} `;

const said = (more: Partial<Turn>): AgentTurnRecord => ({
  turn: { index: 0, content: "b", toolCalls: [], userReply: "c", finishReason: "stop", stateHash: null, ...more },
  tokens: null,
});
const conversation = (firstUserMessage: string, turns: readonly AgentTurnRecord[] = []): Conversation => ({
  systemPrompt: "s",
  tools: [],
  firstUserMessage,
  turns,
});

describe.skipIf(!hasPython)("on our own server", () => {
  const folder = longTemporaryFolder();
  let server: TestPolicyServer;

  beforeAll(async () => {
    const directory = join(folder, "tiny");
    makeTinyModel({
      directory,
      specialTokens: ["<|im_end|>", "<|im_start|>"],
      corpus: ["assistant user system quietly word"],
      endScale: 1,
    });
    writeFileSync(join(directory, "chat_template.jinja"), TEMPLATE);
    server = await startPolicyServer(folder, ["--preload", `tiny=${directory}`, "--max-context", String(SERVERS_CONTEXT)]);
  }, 120_000);
  afterAll(() => server?.kill());

  const policy = (more: Partial<ChatPolicyOptions> = {}) =>
    createChatPolicy({
      client: createInferenceClient({ baseUrl: `${server.url}/v1`, environment: {} }),
      ref: { name: "tiny", hash: "t", manifest: null },
      temperature: 1,
      maxTokensPerTurn: 40,
      maxContextTokens: 4096,
      ...more,
    });

  test.each([
    ["the server's context", 4096],
    ["the campaign's context", 80],
    ["a campaign's context that is the server's", SERVERS_CONTEXT],
  ])("a turn has the room that is left in %s, up to its own limit", async (_name, maxContextTokens) => {
    const limit = Math.min(maxContextTokens, SERVERS_CONTEXT);
    const rooms = new Set<number>();
    for (let length = 1; length < 90; length += 6) {
      const asked = conversation("w".repeat(length));
      const turn = await policy({ maxContextTokens })
        .respond(asked, options)
        .catch((error: { code: string }) => error.code);
      const { tokens: whole } = await policy({ maxTokensPerTurn: 1 })
        .respond(asked, options)
        .catch(() => ({ tokens: null }));
      const numPrompt = whole?.promptTokenIds.length ?? SERVERS_CONTEXT;
      const room = Math.min(40, limit - numPrompt);
      rooms.add(Math.max(0, room));
      if (room < 1) {
        expect(turn).toBe("provider.context-overflow");
      } else {
        const { tokens, finishReason, usage } = turn as Exclude<typeof turn, string>;
        expect(tokens?.tokenIds.length).toBeLessThanOrEqual(room);
        if (finishReason === "length") expect(tokens?.tokenIds).toHaveLength(room);
        if (room === 40) expect(usage.calls).toBe(1);
      }
    }
    expect(rooms.size).toBeGreaterThan(4); // none left, some left, all of it
    expect(rooms).toContain(0);
    expect(rooms).toContain(40);
  });

  test("what a turn says is what it would have said with more room, cut where the room ends", async () => {
    const asked = conversation("w".repeat(20));
    const long = await policy().respond(asked, options);
    const context = (long.tokens?.promptTokenIds.length ?? 0) + 5;
    const short = await policy({ maxContextTokens: context }).respond(asked, options);
    expect(long.tokens?.tokenIds.length).toBeGreaterThan(5);
    expect(short.tokens?.tokenIds).toEqual(long.tokens?.tokenIds.slice(0, 5));
    expect(short).toMatchObject({ finishReason: "length", usage: { calls: 2 } });
    expect(short.usage.completionTokens).toBe((long.tokens?.tokenIds.length ?? 0) + 5);
  });

  test("a field of the campaign reaches the template, and is part of the format's name", async () => {
    const [loud, quiet] = [policy(), policy({ requestFields: { chat_template_kwargs: { is_quiet: true } } })];
    const prompts = await Promise.all(
      [loud, quiet].map(async (one) => (await one.respond(conversation("a"), options)).tokens?.promptTokenIds),
    );
    expect(prompts[0]).not.toEqual(prompts[1]);
    expect(loud.format).toBe("native/1");
    expect(quiet.format).toMatch(/^native\/1\+[0-9a-f]{12}$/);
  });

  test("the reasoning of earlier turns reaches the template where it is sent, and nowhere else", async () => {
    const promptWith = async (reasoning: string, sendsReasoning: boolean) =>
      (await policy({ sendsReasoning }).respond(conversation("a", [said({ reasoning })]), options)).tokens?.promptTokenIds;
    expect(await promptWith("one", false)).toEqual(await promptWith("two", false));
    expect(await promptWith("one", true)).not.toEqual(await promptWith("two", true));
  });

  test("the other name of the limit is understood as well", async () => {
    const turn = await policy({ tokenLimitField: "max_completion_tokens", maxTokensPerTurn: 3 }).respond(conversation("a"), options);
    expect(turn.tokens?.tokenIds.length).toBeLessThanOrEqual(3);
  });
});

describe("a server that hands reasoning apart", () => {
  let server: FailingServer;
  afterEach(() => server?.close());
  /** An answer as vLLM writes it with --reasoning-parser, OpenAI with its details of usage. */
  const answers = (message: object) => {
    const usage = { prompt_tokens: 5, completion_tokens: 9, completion_tokens_details: { reasoning_tokens: 6 } };
    return { choices: [{ message: { role: "assistant", ...message }, finish_reason: "stop" }], usage };
  };
  const policyThatSays = async (message: object) => {
    server = await startFailingServer((response) => sendJson(response, 200, answers(message)));
    return createChatPolicy({
      client: createInferenceClient({ baseUrl: server.baseUrl, environment: {} }),
      ref: { name: "p", hash: "p", manifest: null },
      hasTokenIds: false,
      temperature: 1,
      maxTokensPerTurn: 40,
      maxContextTokens: 4096,
      sendsReasoning: true,
    });
  };

  test.each(["reasoning", "reasoning_content"])("as %s: it is kept as data and counted, and nobody hears it", async (field) => {
    const heard: string[] = [];
    const listening: typeof user = {
      ...user,
      reply: (task, view, more) => {
        heard.push(JSON.stringify(view));
        return user.reply(task, view, more);
      },
    };
    const root = temporaryFolder();
    const rollOut = (policy: Policy) => ({
      task: TASK,
      trial: 0,
      environment: counter,
      policy,
      simulator: listening,
      journal: new LocalTurnJournal(root, "turns/0-0"),
      seed: "s",
      limits: { maxTurns: 3 },
      signal: options.signal,
    });
    const policy = await policyThatSays({ content: "done", [field]: "SECRET <tool_call>{}</tool_call>" });
    const { trajectory } = await runTrajectory(rollOut(policy));
    expect(trajectory.turns[0]).toMatchObject({ content: "done", reasoning: "SECRET <tool_call>{}</tool_call>", toolCalls: [] });
    expect(trajectory.usage).toMatchObject({ reasoningTokens: 6, reasoningCharacters: "SECRET <tool_call>{}</tool_call>".length });
    expect(heard.join()).not.toContain("SECRET");
    const again = await runTrajectory(rollOut(policy));
    expect(again).toEqual({ trajectory, numResumedTurns: 1, error: null });
    expect(Trajectory.parse(trajectory)).toEqual(trajectory);
  });

  test("of mere reasoning says nothing to anybody", async () => {
    const turn = await (await policyThatSays({ content: null, reasoning: "SECRET" })).respond(conversation("a"), options);
    expect(turn).toMatchObject({ content: null, toolCalls: [], reasoning: "SECRET" });
  });

  test("is sent the reasoning of earlier turns under both names", async () => {
    await (await policyThatSays({ content: "x" })).respond(conversation("a", [said({ reasoning: "thought" }), said({})]), options);
    const [{ messages }] = server.requests.map(({ body }) => body) as [{ messages: object[] }];
    expect(messages[2]).toEqual({ role: "assistant", content: "b", reasoning: "thought", reasoning_content: "thought" });
    expect(messages[4]).toEqual({ role: "assistant", content: "b" });
  });
});
