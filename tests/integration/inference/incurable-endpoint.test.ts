// An endpoint that refuses is asked once per rollout and its refusal is told, through all layers that try again: call, rollout, group, activity.
import { afterEach, expect, test } from "vitest";
import { createChatPolicy } from "#adapters/inference/chat-policy.ts";
import { createInferenceClient } from "#adapters/inference/client.ts";
import { createEmbeddedServer } from "#adapters/inference/policy-server.ts";
import { createVllmServer } from "#adapters/inference/vllm/vllm-server.ts";
import { createLlmSimulator } from "#adapters/simulator/llm.ts";
import type { UserSimulator } from "#core/ports.ts";
import { DEFAULT_GROUP_LIMITS, runGroup } from "#core/rollout/run-group.ts";
import { retryUntilTold } from "../../support/activity-retries.ts";
import { counter, memoryJournal, TASK, testClock, user } from "../../unit/core/rollout/parties.ts";
import { type FailingServer, sendJson, startFailingServer } from "./failing-server.ts";

const GROUP_SIZE = 8;
const signal = new AbortController().signal;
const refusal = { error: { message: "Unsupported parameter: 'max_tokens'" } };
const withoutTokens = {
  choices: [{ message: { content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 2, completion_tokens: 1 },
};

let server: FailingServer;
afterEach(() => server?.close());

const client = () => createInferenceClient({ baseUrl: server.baseUrl, environment: {} });
const llmUser = () => createLlmSimulator({ client: client(), model: "user", temperature: 1, maxTokens: 9 });

const rollOut = (simulator: UserSimulator) =>
  retryUntilTold(() =>
    runGroup({
      task: TASK,
      groupSize: GROUP_SIZE,
      environment: counter,
      policy: createChatPolicy({
        client: client(),
        ref: { name: "p", hash: "0", manifest: null },
        temperature: 1,
        maxTokensPerTurn: 8,
        maxContextTokens: 64,
      }),
      simulator,
      seed: "g",
      journal: () => memoryJournal(),
      limits: { ...DEFAULT_GROUP_LIMITS, maxTurns: 30 },
      ensurePolicy: async () => {},
      clock: testClock(),
      signal,
    }),
  );

test.each([
  ["policy", 400, refusal, "provider.rejected"],
  ["user", 400, refusal, "provider.rejected"],
  ["user", 404, {}, "provider.rejected"],
  ["policy", 401, {}, "provider.unauthorized"],
  ["policy", 200, withoutTokens, "provider.rejected"],
])("the %s's endpoint that answers %i %j", async (who, status, body, type) => {
  server = await startFailingServer((response) => sendJson(response, status, body));
  const told = await rollOut(who === "user" ? llmUser() : user);
  expect(told).toMatchObject({ failure: { type, nonRetryable: true }, numAttempts: 1, waitedSeconds: 0 });
  expect(server.requests.length).toBeLessThanOrEqual(GROUP_SIZE);
});

test("a user who never plays its part costs three tries of the group, not thirty", async () => {
  server = await startFailingServer((response) =>
    sendJson(response, 200, { choices: [{ message: { content: "I'm sorry, but I can't help with that." } }] }),
  );
  const told = await rollOut(llmUser());
  expect(told).toMatchObject({ failure: { type: "rollout.incomplete-group", nonRetryable: true }, numAttempts: 3 });
});

test("a server that is another program is told at once", async () => {
  server = await startFailingServer((response) => sendJson(response, 404, {}));
  const rejected = { code: "provider.rejected", retryable: false };
  await expect(createEmbeddedServer(client()).loadedPolicies(signal)).rejects.toMatchObject(rejected);
  await expect(createVllmServer(client(), { baseModel: "m", maxAdapters: 1 }).loadedPolicies(signal)).rejects.toMatchObject(rejected);
});
