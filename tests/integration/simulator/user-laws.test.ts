// The scripted user, a model as user and the user of docs/extending/user.md under the laws of users.
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createInferenceClient } from "#adapters/inference/client.ts";
import { createLlmSimulator, type LlmSimulatorOptions } from "#adapters/simulator/llm.ts";
import type { Task } from "#contracts/task.ts";
import { createSyntheticAirline } from "#environments/synthetic-airline/airline.ts";
import { scriptedSimulator } from "#simulators/scripted.ts";
import { impatientUser } from "../../../examples/users/impatient-user.ts";
import { userLaws } from "../../laws/users.ts";
import { codeOf, textOf } from "../../support/pages.ts";
import { testClock } from "../../unit/core/rollout/parties.ts";
import { type FailingServer, sendJson, startFailingServer } from "../inference/failing-server.ts";
import { type ChatBody, USAGE } from "./user-model.ts";

const { splits } = createSyntheticAirline(1);
const tasks: readonly Task[] = ["cancel", "two-wishes", "bags"].flatMap((kind) =>
  splits.train.filter((task) => task.kind === kind).slice(0, 1),
);

let model: FailingServer;
let outOfOrder: FailingServer;
beforeAll(async () => {
  model = await startFailingServer((response) => {
    const content = answerTo(model.requests.at(-1)?.body as ChatBody);
    sendJson(response, 200, { choices: [{ message: { role: "assistant", content }, finish_reason: "stop" }], usage: USAGE });
  });
  outOfOrder = await startFailingServer((response) => sendJson(response, 503, { error: { message: "upstream is away" } }));
});
afterAll(async () => {
  await model.close();
  await outOfOrder.close();
});

/** A model that is a function of its prompt and seed; in the form that react asks for where it does. */
function answerTo({ messages, seed }: ChatBody): string {
  const words = `I want number ${createHash("sha256")
    .update(JSON.stringify([messages, seed]))
    .digest("hex")
    .slice(0, 8)}.`;
  const said = messages.at(-1)?.content.includes("done") === true ? "###STOP###" : words;
  return messages[0]?.content.includes("User Response:") === true ? `Thought:\nwhat now?\n\nUser Response:\n${said}` : said;
}

const modelAt = (server: FailingServer, more: Partial<LlmSimulatorOptions> = {}) =>
  createLlmSimulator({
    client: createInferenceClient({ baseUrl: server.baseUrl, environment: {} }),
    ...{ model: "m", temperature: 0.7, maxTokens: 64, clock: testClock() },
    ...more,
  });

test("there are tasks to speak of", () => expect(tasks).toHaveLength(3));

userLaws("scripted", { open: () => scriptedSimulator, others: [], tasks });

for (const strategy of ["llm", "react"] as const)
  userLaws(`a model, ${strategy}`, {
    open: () => modelAt(model, { strategy }),
    others: [
      () => modelAt(model, { strategy, model: "other" }),
      () => modelAt(model, { strategy, temperature: 0.5 }),
      () => modelAt(model, { strategy, maxTokens: 65 }),
      () => modelAt(model, { strategy, prematureStop: "error" }),
      () => modelAt(model, { strategy, requestFields: { top_p: 0.5 } }),
      () => modelAt(model, { strategy: "verify" }),
    ],
    tasks,
    numCalls: () => model.requests.length,
    openFailing: () => modelAt(outOfOrder, { strategy, limits: { deadlineSeconds: 5 } }),
  });

const impatient = { user: scriptedSimulator, patience: 3, chance: 0.5 };
userLaws("docs/extending/user.md", {
  open: () => impatientUser(impatient),
  others: [
    () => impatientUser({ ...impatient, patience: 4 }),
    () => impatientUser({ ...impatient, chance: 0.6 }),
    () => impatientUser({ ...impatient, user: modelAt(model) }),
  ],
  tasks,
  openFailing: () => impatientUser({ ...impatient, user: modelAt(outOfOrder, { limits: { deadlineSeconds: 5 } }) }),
});

test("the user of docs/extending/user.md is the one that was tried, and hangs up where patience and chance say so", async () => {
  expect(codeOf("docs/extending/user.md", "ts")).toBe(textOf("examples/users/impatient-user.ts"));
  const [task] = tasks as [Task, ...Task[]];
  const shareOfStops = async (numMessages: number) => {
    const exchanges = Array.from({ length: numMessages }, () => ({ agent: "One moment.", user: "ok" }));
    const replies = Array.from({ length: 400 }, (_, seed) =>
      impatientUser(impatient).reply(
        task,
        { firstUserMessage: "Hi.", exchanges },
        { seed: `${seed}`, signal: new AbortController().signal },
      ),
    );
    return (await Promise.all(replies)).filter(({ content }) => content.startsWith("This is taking too long")).length / 400;
  };
  expect(await shareOfStops(3)).toBe(0);
  expect(Math.abs((await shareOfStops(4)) - 0.5)).toBeLessThan(0.1);
});
