import { describe, expect, test } from "vitest";
import type { ToolCall } from "#contracts/trajectory.ts";
import { isPrematureStop, pendingWrites } from "#core/simulator/premature-stop.ts";

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

describe("a stop is premature", () => {
  test.each([
    ["###STOP###", "The fee is $50. Would you like me to proceed?"],
    ["Yes, please go ahead. ###STOP###", "Shall I cancel the reservation? (yes/no)"],
    ["Thank you! ###STOP###", "I will now cancel your reservation. One moment."],
    ["###STOP###", "Could you tell me your reservation number?"],
  ])("%j after %j", (reply, agent) => {
    expect(isPrematureStop({ reply, agent, numPendingWrites: 1 })).toBe(true);
    expect(isPrematureStop({ reply, agent, numPendingWrites: 0 }), "without pending writes").toBe(false);
    expect(isPrematureStop({ reply: "Yes.", agent, numPendingWrites: 1 }), "without a stop").toBe(false);
  });
});

describe("a stop is none that counts", () => {
  test.each([
    ["when the agent refuses", "###STOP###", "I'm sorry, I cannot cancel it. Would you like me to do anything about the other one?"],
    ["when the agent says that it is done", "###STOP###", "Your reservation has been cancelled."],
    ["when the agent asks for the next wish", "###STOP###", "Is there anything else I can help you with?"],
    ["when the user declines", "No, that is too much. ###STOP###", "The fee is $500. Would you like me to proceed?"],
    ["when the user thinks about it", "I'll think about it. ###STOP###", "Do you want me to book it?"],
    ["when the agent only talks", "###STOP###", "The flight leaves at noon."],
  ])("%s", (_, reply, agent) => {
    expect(isPrematureStop({ reply, agent, numPendingWrites: 1 })).toBe(false);
  });
});
