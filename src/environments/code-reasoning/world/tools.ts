// The tools of code reasoning, and how a call of them is read.
import type { EnvironmentCall } from "#core/environment/environment.ts";
import { parseArguments } from "#core/exact-json.ts";
import type { ToolSchema } from "#core/ports.ts";
import type { CodeReasoningConfig } from "../config.ts";

export const PYTHON = "python";
/** The final tool, where there is one. */
export const ANSWER = "answer";

const tool = (name: string, description: string, argument: string, what: string): ToolSchema => ({
  type: "function",
  function: {
    name,
    description,
    parameters: { type: "object", properties: { [argument]: { type: "string", description: what } }, required: [argument] },
  },
});
const PYTHON_TOOL = tool(
  PYTHON,
  "Runs Python. Names stay for later calls. Gives back what was printed and the value of the last expression.",
  "code",
  "Python code",
);
const ANSWER_TOOL = tool(ANSWER, "Gives the final answer and ends.", "answer", "the final answer alone");

export function codeTools({ answer }: Pick<CodeReasoningConfig, "answer">): ToolSchema[] {
  return answer === "tool" ? [PYTHON_TOOL, ANSWER_TOOL] : [PYTHON_TOOL];
}

type ReadCall =
  | { readonly tool: typeof PYTHON | typeof ANSWER; readonly text: string }
  /** It breaks the format; `why` is for the model. */
  | { readonly tool: null; readonly why: string };

/** What a call asks for. Half surrogate pairs, which Python cannot read, become U+FFFD. */
export function readCall({ name, argumentsJson }: EnvironmentCall, tools: readonly ToolSchema[]): ReadCall {
  const names = tools.map((schema) => schema.function.name);
  if ((name !== PYTHON && name !== ANSWER) || !names.includes(name)) {
    return { tool: null, why: `there is no tool ${JSON.stringify(name)}, only ${names.join(" and ")}` };
  }
  const argument = name === PYTHON ? "code" : "answer";
  const text = parseArguments(argumentsJson)?.[argument];
  if (typeof text === "string" && text.trim() !== "") return { tool: name, text: text.toWellFormed() };
  return { tool: null, why: `the arguments of ${name} are {"${argument}": "…"}, a text that is not empty` };
}
