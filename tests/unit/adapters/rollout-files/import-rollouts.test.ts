import { describe, expect, test } from "vitest";
import { importMessages } from "#adapters/rollout-files/import-messages.ts";
import { importRolloutText } from "#adapters/rollout-files/read-rollouts.ts";
import { ChatMessage } from "#contracts/rollout-line.ts";
import { isTold } from "#core/environment/told-task.ts";
import { sumCounts } from "#core/reading/counts.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";

const CATALOG = createToolCatalog({});
const call = (id: string, name: string, args: string) => ({ id, type: "function", function: { name, arguments: args } });
const CONVERSATION = [
  { role: "system", content: "policy" },
  { role: "user", content: "cancel it" },
  { role: "assistant", content: null, tool_calls: [call("1", "get_user_details", '{"user_id":"a"}')] },
  { role: "tool", tool_call_id: "1", name: "get_user_details", content: "Error: user not found" },
  { role: "assistant", content: "Which user?" },
  { role: "user", content: "b" },
  { role: "assistant", content: "ok", tool_calls: [call("1", "cancel_reservation", '{"reservation_id":"X"}'), call("2", "think", "{}")] },
  { role: "tool", tool_call_id: "1", content: "done" },
  { role: "assistant", content: "Cancelled." },
  { role: "user", content: "###STOP###" },
];
const convert = (messages: unknown[]) => importMessages(messages.map((message) => ChatMessage.parse(message)));

describe("chat messages", () => {
  test("become turns with results, replies, errors, and calls that nobody executed", () => {
    const { firstUserMessage, turns } = convert(CONVERSATION);
    expect(firstUserMessage).toBe("cancel it");
    expect(turns.map((turn) => [turn.index, turn.content, turn.userReply, turn.toolCalls.length])).toEqual([
      [0, null, null, 1],
      [1, "Which user?", "b", 0],
      [2, "ok", null, 2],
      [3, "Cancelled.", "###STOP###", 0],
    ]);
    expect(turns[0]?.toolCalls[0]).toMatchObject({ isError: true, isExecuted: true, result: "Error: user not found" });
    expect(turns[2]?.toolCalls.map(({ isExecuted, result }) => [isExecuted, result])).toEqual([
      [true, "done"],
      [false, null],
    ]);
  });

  test("the same call id in two turns belongs to each turn's own result", () => {
    const { turns } = convert(CONVERSATION);
    expect([turns[0]?.toolCalls[0]?.result, turns[2]?.toolCalls[0]?.result]).toEqual(["Error: user not found", "done"]);
  });

  test("a greeting of the harness is no turn, and the user's own tool calls are not the agent's", () => {
    const { firstUserMessage, turns } = convert([
      { role: "assistant", content: "Hi! How can I help you today?" },
      { role: "user", content: "my line is down" },
      { role: "assistant", content: "check it" },
      { role: "user", content: null, tool_calls: [{ id: "u", name: "check", arguments: {}, requestor: "user" }], requestor: "user" },
      { role: "tool", id: "u", content: "off", requestor: "user" },
      { role: "user", content: "it is off" },
    ]);
    expect([firstUserMessage, turns.length, turns[0]?.userReply]).toEqual(["my line is down", 1, "it is off"]);
  });

  test("content in parts is joined, arguments as objects become text", () => {
    const { turns } = convert([
      {
        role: "user",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
      { role: "assistant", content: "", tool_calls: [{ id: "x", name: "get", arguments: { a: 1 } }] },
    ]);
    expect(turns[0]?.toolCalls[0]?.argumentsJson).toBe('{"a":1}');
    expect(turns[0]?.content).toBeNull();
  });
});

describe("tau-bench results", () => {
  const entry = (change: object = {}) => ({
    task_id: 3,
    trial: 1,
    reward: 1,
    info: {
      task: { user_id: "b", instruction: "do", actions: [{ name: "cancel_reservation", kwargs: { reservation_id: "X" } }], outputs: [] },
    },
    traj: CONVERSATION,
    ...change,
  });

  test("carry task, golden actions, outcome and ending", () => {
    const { rollouts, reading } = importRolloutText("gpt", JSON.stringify([entry()]), CATALOG);
    expect(reading.excluded).toEqual({});
    expect(rollouts[0]?.task).toMatchObject({
      id: "3",
      userId: "b",
      goldenActions: [{ name: "cancel_reservation", argumentsJson: '{"reservation_id": "X"}' }],
      difficulty: { numWrites: 1, numReads: 0 },
    });
    expect(rollouts[0]?.trajectory).toMatchObject({ trial: 1, outcome: { reward: 1, stopReason: "user-stop" }, policy: { name: "gpt" } });
  });

  test("an entry that is an error of the runner is excluded, not failed", () => {
    const { rollouts, reading } = importRolloutText(
      "gpt",
      JSON.stringify([entry(), entry({ traj: [], info: { error: "timeout" }, reward: 0, trial: 2 })]),
      CATALOG,
    );
    expect([rollouts.length, sumCounts(reading.excluded)]).toEqual([1, 1]);
  });

  test("a conversation without an end was cut", () => {
    const { rollouts } = importRolloutText("gpt", JSON.stringify([entry({ traj: CONVERSATION.slice(0, -1) })]), CATALOG);
    expect(rollouts[0]?.trajectory.outcome.stopReason).toBe("turn-cap");
  });
});

describe("tau2 results", () => {
  const simulation = (change: object = {}) => ({
    task_id: "7",
    trial: 0,
    termination_reason: "user_stop",
    reward_info: { reward: 1 },
    messages: CONVERSATION,
    ...change,
  });
  const results = (...simulations: object[]) =>
    JSON.stringify({
      tasks: [
        {
          id: "7",
          user_scenario: { instructions: { known_info: "Your user id is raj_sanchez_7340." } },
          evaluation_criteria: {
            actions: [
              { name: "cancel_reservation", arguments: { reservation_id: "X" } },
              { name: "toggle", arguments: {}, requestor: "user" },
            ],
          },
        },
      ],
      simulations,
    });

  test("carry the user, the agent's golden actions and the outcome", () => {
    const { rollouts } = importRolloutText("m", results(simulation()), CATALOG);
    expect(rollouts[0]?.task).toMatchObject({ id: "7", userId: "raj_sanchez_7340", goldenActions: [{ name: "cancel_reservation" }] });
    expect(rollouts[0]?.trajectory.outcome).toMatchObject({ reward: 1, stopReason: "user-stop" });
  });

  test("only endings of the conversation itself count; others are excluded", () => {
    const { rollouts, reading } = importRolloutText(
      "m",
      results(
        simulation(),
        simulation({ trial: 1, termination_reason: "max_steps", reward_info: { reward: 0 } }),
        simulation({ trial: 2, termination_reason: "infrastructure_error" }),
        simulation({ trial: 3, reward_info: null }),
      ),
      CATALOG,
    );
    expect(rollouts.map(({ trajectory }) => trajectory.outcome.stopReason)).toEqual(["user-stop", "turn-cap"]);
    expect(sumCounts(reading.excluded)).toBe(2);
  });
});

describe("what a benchmark's file does not tell", () => {
  const tau2 = (evaluation_criteria: object | null | undefined) => {
    const tasks = [{ id: "7", user_scenario: "Cancel it.", ...(evaluation_criteria === undefined ? {} : { evaluation_criteria }) }];
    const simulations = [{ task_id: "7", termination_reason: "user_stop", reward_info: { reward: 1 }, messages: CONVERSATION }];
    return importRolloutText("m", JSON.stringify({ tasks, simulations }), CATALOG).rollouts[0]?.task;
  };
  const none = { actions: [], communicate_info: [] };

  test.each([
    ["no criteria", undefined, { goldenActions: null, outputs: null, difficulty: null }],
    ["criteria that are null", null, { goldenActions: null, outputs: null }],
    ["actions that are null", { ...none, actions: null }, { goldenActions: null, outputs: [] }],
    ["nothing to communicate, null", { ...none, communicate_info: null }, { goldenActions: [], outputs: null }],
    ["communication that the reward does not ask for", { actions: [], communicate_info: ["4"], reward_basis: ["DB"] }, { outputs: [] }],
    ["a reward by judgement", { ...none, reward_basis: ["DB", "NL_ASSERTION"] }, { alsoGradedBy: "NL_ASSERTION" }],
    ["a reward without the database", { ...none, reward_basis: ["ACTION"] }, { alsoGradedBy: "ACTION and no database" }],
    [
      "actions of the user",
      { ...none, actions: [{ name: "toggle", requestor: "user" }] },
      { goldenActions: [], alsoGradedBy: "the user's own actions" },
    ],
  ])("stays unknown in tau2's: %s", (_, criteria, told) => {
    expect(tau2(criteria)).toMatchObject(told);
  });

  test("what tau2's file tells whole is no different from a task of our own", () => {
    const task = tau2({ ...none, reward_basis: ["DB", "COMMUNICATE"] });
    expect([task?.goldenActions, task?.outputs, task?.alsoGradedBy, task === undefined || isTold(task)]).toEqual([[], [], undefined, true]);
  });

  test.each([
    [{}, { goldenActions: null, outputs: null }],
    [
      { actions: null, outputs: null },
      { goldenActions: null, outputs: null },
    ],
    [
      { actions: [], outputs: [] },
      { goldenActions: [], outputs: [] },
    ],
  ])("stays unknown in tau-bench's: %j", (task, told) => {
    const entry = { task_id: 0, trial: 0, reward: 1, info: { task: { user_id: "b", instruction: "do", ...task } }, traj: CONVERSATION };
    expect(importRolloutText("m", JSON.stringify([entry]), CATALOG).rollouts[0]?.task).toMatchObject(told);
  });
});

describe("a line of JSONL", () => {
  const line = (value: object) => importRolloutText("mine", JSON.stringify(value), CATALOG);

  test("needs only task, messages and outcome", () => {
    expect(line({ task_id: 12, messages: CONVERSATION, outcome: true }).rollouts[0]).toMatchObject({
      task: { id: "12", userId: "", goldenActions: null, outputs: null },
      trajectory: { trial: 0, outcome: { reward: 1, stopReason: "user-stop" } },
    });
  });

  test("without an outcome is left out; an unknown key is an error", () => {
    expect(line({ task_id: "a", messages: CONVERSATION, outcome: null }).reading.excluded).toEqual({ "without an outcome": 1 });
    expect(() => line({ task_id: "a", messages: CONVERSATION, outcome: 1, reward: 1 })).toThrowError(/reward/);
  });
});
