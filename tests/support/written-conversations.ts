// Conversations as harnesses store them: one and the same conversation, written in every form that calls are known to stand in.
import fc from "fast-check";
import { dumps, repr } from "#environments/tau/python/format.ts";
import { PyDict, PyFloat, type PyValue } from "#environments/tau/python/values.ts";

export interface WrittenCall {
  readonly name: string;
  readonly args: PyDict;
  readonly result: string;
}

/** What the agent does next: says something and is answered, or calls something. */
export type Step =
  | { readonly type: "say"; readonly text: string; readonly reply: string }
  | { readonly type: "call"; readonly thought: string; readonly calls: readonly WrittenCall[] };

export type Message = Readonly<Record<string, unknown>>;

export interface Form {
  readonly reader: string;
  /** The form has room for several calls in one message. */
  readonly isParallel: boolean;
  readonly write: (step: Step, index: number) => Message[];
}

const WORDS = [
  "please",
  "cancel",
  "my order",
  "it's 5,000 $",
  "naïve 🙂",
  "Action needed",
  "a {json} word",
  "name: Bo",
  '"quoted"',
  "two\nlines",
];
/** Without marks of any form, and not blank. */
export const words: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 4 })
  .map((some) => some.join(" "));

const scalar: fc.Arbitrary<PyValue> = fc.oneof(
  words,
  fc.constantFrom("00123", "1e3", "it's", 'say "hi"', "None", "", "\\n", "é\n\t", "\u0007"),
  fc.boolean(),
  fc.constant(null),
  fc.integer(),
  fc.bigInt({ min: 2n ** 60n, max: 2n ** 70n }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => new PyFloat(value)),
);
const value: fc.Arbitrary<PyValue> = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom("k", "it's", "ü"), scalar).map((entries) => PyDict.from(Object.entries(entries))),
);
const args = fc
  .dictionary(fc.constantFrom("reservation_id", "cabin", "flights", "x"), value)
  .map((found) => PyDict.from(Object.entries(found)));
const call: fc.Arbitrary<WrittenCall> = fc.record({
  name: fc.constantFrom("get_order", "cancel_reservation", "think", "my-tool.v2"),
  args,
  result: fc.oneof(words, fc.constantFrom('{"name": "x", "arguments": {}}', "Error: no", "[]", "7")),
});

export const steps = (isParallel: boolean): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      fc.record({ type: fc.constant("say" as const), text: words, reply: words }),
      fc.record({
        type: fc.constant("call" as const),
        thought: words,
        calls: fc.array(call, { minLength: 1, maxLength: isParallel ? 3 : 1 }),
      }),
    ),
    { minLength: 1, maxLength: 5 },
  );

const user = (content: string): Message => ({ role: "user", content });
const agent = (content: string | null, more: Message = {}): Message => ({ role: "assistant", content, ...more });
const said = ({ text, reply }: Step & { type: "say" }) => [agent(text), user(reply)];
const toolResults = (step: Step & { type: "call" }) => step.calls.map(({ name, result }) => ({ role: "tool", name, content: result }));
const object = ({ name, args: given }: WrittenCall) => `{"name": ${dumps(name)}, "arguments": ${dumps(given)}}`;

/** A form that marks calls in the text, and says everything else as it is. */
const inText =
  (write: (calls: readonly WrittenCall[]) => string, results: (step: Step & { type: "call" }) => Message[] = toolResults): Form["write"] =>
  (step) =>
    step.type === "say" ? said(step) : [agent(`${step.thought}\n${write(step.calls)}`), ...results(step)];

const native =
  (argumentsOf: (given: PyDict) => string): Form["write"] =>
  (step, index) => {
    if (step.type === "say") return said(step);
    const calls = step.calls.map(({ name, args: given }, place) => ({
      id: `c${index}-${place}`,
      type: "function",
      function: { name, arguments: argumentsOf(given) },
    }));
    const results = step.calls.map(({ result }, place) => ({ role: "tool", tool_call_id: `c${index}-${place}`, content: result }));
    return [agent(step.thought, { tool_calls: calls }), ...results.toReversed()];
  };

const action =
  (begin: (thought: string) => string): Form["write"] =>
  (step) => {
    if (step.type === "say")
      return [agent(`${begin("I answer.")}{"name": "respond", "arguments": {"content": ${dumps(step.text)}}}`), user(step.reply)];
    return [
      agent(`${begin(step.thought)}${step.calls.map(object).join("")}`),
      ...step.calls.map(({ result }) => user(`API output: ${result}`)),
    ];
  };

const xml = ({ name, args: given }: WrittenCall) => `<tool_call>\n<function=${name}>\n${dumps(given)}\n</function>\n</tool_call>`;

export const FORMS: readonly Form[] = [
  { reader: "tool-calls", isParallel: true, write: native(dumps) },
  { reader: "tool-calls", isParallel: true, write: native(repr) },
  { reader: "tool-calls", isParallel: true, write: native((given) => dumps(dumps(given))) },
  {
    reader: "function-call",
    isParallel: false,
    write: (step) =>
      step.type === "say"
        ? said(step)
        : [
            agent(step.thought, { function_call: { name: step.calls[0]?.name, arguments: dumps(step.calls[0]?.args ?? null) } }),
            { role: "function", name: step.calls[0]?.name, content: step.calls[0]?.result },
          ],
  },
  { reader: "react", isParallel: false, write: action((thought) => `Thought:\n${thought}\nAction:\n`) },
  { reader: "act", isParallel: false, write: action(() => "Action:\n") },
  { reader: "act", isParallel: false, write: action(() => "") },
  {
    reader: "tool-call-tags",
    isParallel: true,
    write: inText((calls) => calls.map((one) => `<tool_call>\n${object(one)}\n</tool_call>`).join("\n")),
  },
  {
    reader: "tool-call-tags",
    isParallel: true,
    write: inText(
      (calls) => calls.map((one) => `<tool_call>${object(one)}</tool_call>`).join(""),
      ({ calls }) => [user(calls.map(({ result }) => `<tool_response>\n${result}\n</tool_response>`).join("\n"))],
    ),
  },
  { reader: "function-tags", isParallel: true, write: inText((calls) => calls.map(xml).join("\n")) },
  { reader: "mistral", isParallel: true, write: inText((calls) => `[TOOL_CALLS][${calls.map(object).join(", ")}]`) },
  {
    reader: "mistral",
    isParallel: true,
    write: inText((calls) => calls.map((one) => `[TOOL_CALLS]${one.name}[ARGS]${dumps(one.args)}`).join("")),
  },
  {
    reader: "fenced-json",
    isParallel: true,
    write: inText((calls) => calls.map((one) => `\`\`\`json\n${object(one)}\n\`\`\``).join("\n")),
  },
  {
    reader: "fenced-json",
    isParallel: false,
    write: inText(
      (calls) => `\`\`\`\n${calls.map(object).join("")}\n\`\`\``,
      ({ calls }) => calls.map(({ result }) => user(`API output: ${result}`)),
    ),
  },
];
