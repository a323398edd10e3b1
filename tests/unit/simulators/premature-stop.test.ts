import { describe, expect, test } from "vitest";
import type { ToolCall } from "#contracts/trajectory.ts";
import { isPrematureStop, pendingWrites } from "#core/rollout/premature-stop.ts";

const kinds = {
  isWrite: (name: string) => ["cancel", "book", "transfer"].includes(name),
  isTerminal: (name: string) => name === "transfer",
};
const golden = (...names: string[]) => ({ goldenActions: names.map((name) => ({ name, argumentsJson: "{}" })) });
const call = (name: string, more: Partial<ToolCall> = {}): ToolCall => ({
  id: "1",
  name,
  argumentsJson: "{}",
  result: "ok",
  isError: false,
  isExecuted: true,
  ...more,
});
const turns = (...calls: ToolCall[]) => calls.map((one) => ({ toolCalls: [one] }));

describe("a golden write is pending", () => {
  test.each([
    ["until its tool has been called", golden("cancel", "read"), [], ["cancel"]],
    ["not when its tool has been called with whatever arguments", golden("cancel"), turns(call("cancel")), []],
    ["when the call failed", golden("cancel"), turns(call("cancel", { isError: true })), ["cancel"]],
    ["when the call was not executed", golden("cancel"), turns(call("cancel", { isExecuted: false, result: null })), ["cancel"]],
    ["once for each time that it is golden", golden("cancel", "cancel"), turns(call("cancel")), ["cancel"]],
    ["not when as many other writes were made", golden("cancel"), turns(call("book")), []],
    ["not after a transfer", golden("cancel", "book"), turns(call("transfer")), []],
    ["never when it is a transfer itself", golden("transfer"), [], []],
  ])("%s", (_, task, played, names) => {
    expect(pendingWrites(task, played, kinds)).toEqual(names);
  });
});

const task = { instruction: "You are mia_li_3668 and want to cancel.", userId: "mia_li_3668" };
/** A conversation in which the user opened with `opening`, and what was said since in turns. */
function conversation(opening: string, ...said: readonly string[]) {
  const exchanges = said.flatMap((agent, index) => (index % 2 === 0 ? [{ agent, user: said[index + 1] ?? null }] : []));
  return { firstUserMessage: opening, exchanges };
}
const judge = (reply: string, said: readonly string[], { opening = "Hi, I am mia_li_3668.", numPendingWrites = 1 } = {}) =>
  isPrematureStop({ task, view: conversation(opening, ...said), reply, numPendingWrites });

describe("a stop is premature", () => {
  test.each([
    ["###STOP###", ["The fee is $50. Would you like me to proceed?"]],
    ["Yes, please go ahead. ###STOP###", ["Shall I cancel the reservation? (yes/no)"]],
    ["Sure, please go ahead. Thank you. ###STOP###", ["I can issue it. If you need further assistance, feel free to ask."]],
    ["Thank you! ###STOP###", ["I will now cancel your reservation. One moment."]],
    ["###STOP###", ["Could you tell me your reservation number?"]],
    ["I'll get back to you once I have it. ###STOP###", ["You're welcome!"]],
    ["###STOP###", ["I need the number.", "I'll find the confirmation e-mail and reach out soon.", "Take your time."]],
  ])("%j after %j", (reply, said) => {
    expect(judge(reply, said)).toBe(true);
    expect(judge(reply, said, { numPendingWrites: 0 }), "without pending writes").toBe(false);
    expect(judge("Yes.", said), "without a stop").toBe(false);
  });

  test("when the agent has asked for the user id that the task names, and never heard it", () => {
    const said = ["What is your user id?", "I do not have it.", "Then I need it later.", "Fine.", "You're welcome!"];
    expect(judge("###STOP###", said, { opening: "Hi." })).toBe(true);
    expect(judge("###STOP###", said), "the user said it").toBe(false);
    expect(judge("###STOP###", ["It has been cancelled.", "Thanks.", ...said], { opening: "Hi." }), "the agent did something").toBe(false);
  });
});

describe("a stop is none that counts", () => {
  test.each([
    ["when the agent refuses", "###STOP###", "I'm sorry, I cannot cancel it. Would you like me to do anything about the other one?"],
    ["when the agent says that it is done, rightly or not", "Great, go ahead. ###STOP###", "Your reservation has been cancelled."],
    ["when the agent asks for the next wish", "###STOP###", "Is there anything else I can help you with?"],
    ["when the user declines", "No, that is too much. ###STOP###", "The fee is $500. Would you like me to proceed?"],
    ["when the user thinks about it", "I'll think about it. ###STOP###", "Do you want me to book it?"],
    ["when the user only says goodbye", "I'll reach out if I need anything else. ###STOP###", "You're welcome!"],
    ["when the agent only talks", "###STOP###", "The flight leaves at noon."],
  ])("%s", (_, reply, agent) => {
    expect(judge(reply, [agent])).toBe(false);
  });
});
