import { describe, expect, test } from "vitest";
import { checkReply, completionText } from "#simulators/llm/judge-reply.ts";

const view = { firstUserMessage: "hi" };

describe("a reply that no customer would give is an error of its own type:", () => {
  test.each([
    ["I'm sorry, but I can't assist with that.", "simulator.refusal"],
    ["Sorry, I cannot help with this request.", "simulator.refusal"],
    ["As an AI, I have no reservations.", "simulator.refusal"],
    ["I am an AI language model.", "simulator.refusal"],
    ["How can I help you today?", "simulator.role-confusion"],
    ["Thank you for contacting us.", "simulator.role-confusion"],
    ["Could you please provide your user ID?", "simulator.role-confusion"],
    ["I have cancelled your reservation.", "simulator.role-confusion"],
    ["Let me look up your booking.", "simulator.role-confusion"],
    ['<tool_call>{"name": "get_user_details"}</tool_call>', "simulator.role-confusion"],
  ])("%j is %s", (text, code) => {
    expect(() => checkReply(text, view)).toThrow(expect.objectContaining({ code }));
  });

  test("a stop before the first word is a premature stop", () => {
    expect(() => checkReply("###STOP###", { firstUserMessage: null })).toThrow(
      expect.objectContaining({ code: "simulator.premature-stop" }),
    );
  });
});

test.each([
  "I can't help you with that, I need it by Friday",
  "I'm sorry, but I can't remember the reservation number.",
  "I'm sorry, but I can't find my user id",
  "My agent can't help with flights to Mars?",
  "How can I pay you?",
  "Could you please cancel my reservation?",
  "Please confirm my new flight.",
  "###STOP###",
])("%j is what a customer may say", (text) => {
  expect(() => checkReply(text, view)).not.toThrow();
});

describe("the text of a completion", () => {
  const silence = { why: "the line is dead", next: "mend it" };

  test("that has none is missing for a reason, with what to do", () => {
    expect(() => completionText({ text: "<think>hm", refusal: null, silence })).toThrow(
      expect.objectContaining({ message: expect.stringContaining("the line is dead"), next: "mend it" }),
    );
  });

  test("is what the model says aloud", () => {
    expect(completionText({ text: "<think>What do I want?</think>\n Two tickets. ", refusal: null, silence })).toBe("Two tickets.");
  });

  test.each([
    ["Two tickets.<|im_end|>\n<|im_start|>assistant\nSure. ###STOP###", "Two tickets."],
    ["Two tickets.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n###STOP###", "Two tickets."],
    ["<|start_header_id|>assistant<|end_header_id|>\n\nTwo tickets.", "Two tickets."],
    ["<|im_start|>user\nTwo tickets.</s>", "Two tickets."],
    ["<start_of_turn>model\nTwo tickets.<end_of_turn>\n<start_of_turn>user\n", "Two tickets."],
    ["<seed:think>###STOP###?</seed:think>Two tickets.", "Two tickets."],
    ["◁think▷###STOP###?◁/think▷Two tickets.", "Two tickets."],
  ])("is the first turn alone, without its template: %j", (text, said) => {
    expect(completionText({ text, refusal: null, silence })).toBe(said);
  });

  test.each(["<|im_end|>", "</s>", "<end_of_turn>\n", " <|eot_id|>", "<｜end▁of▁sentence｜>", "<|im_end|>\n<|endoftext|>"])(
    "ends before %j, which a server left of its template",
    (mark) => {
      expect(completionText({ text: `Two tickets.${mark}`, refusal: null, silence })).toBe("Two tickets.");
      expect(completionText({ text: `${mark}Two tickets.`, refusal: null, silence })).toBe(`${mark}Two tickets.`.trim());
    },
  );

  test.each([
    ["<|im_end|>", null, "simulator.empty-reply"],
    [null, null, "simulator.empty-reply"],
    ["  ", null, "simulator.empty-reply"],
    ["<think>only thoughts", null, "simulator.empty-reply"],
    ["Yes", "the model refused", "simulator.refusal"],
  ])("%j with refusal %j is %s", (text, refusal, code) => {
    expect(() => completionText({ text, refusal, silence })).toThrow(expect.objectContaining({ code }));
  });
});
