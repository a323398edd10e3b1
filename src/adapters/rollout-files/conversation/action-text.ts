// tau-bench's `react` and `act`: "Thought: … Action: {"name": …, "arguments": …}", a message to the user being the action `respond`. Read
// as its harness reads them (chat_react_agent.py): what stands behind the last "Action:" is JSON, or else is said to the user.
import { parseEither } from "#environments/tau/python/parse-literal.ts";
import { isDict } from "#environments/tau/python/values.ts";
import { readArguments } from "./arguments.ts";
import { callsOfText, respondText, type TextCall, type TextMessage, textOrNull } from "./text-calls.ts";

const MARK = "Action:";
const THOUGHT = /^\s*Thought:[ \t]*\n?/;
/** The older ReAct: the tool's name, and its input below it. */
const WITH_INPUT = /^([\w.-]+)[^\S\n]*\n\s*Action Input:\s*([\s\S]*)$/;
const FINAL = /(?:^|\n)[ \t]*Final Answer:/;
const FENCE_START = /```[\w-]*\s*$/;
const FENCE_END = /^\s*```/;
const PYTHON_TAG = /^\s*<\|python_tag\|>/;

/** isAnswered  the next message is a result, so the harness has read a call here, however it is spelt */
export function readActionText(text: string, isAnswered: boolean): TextMessage | null {
  const at = text.lastIndexOf(MARK);
  if (at < 0) return readWithoutMark(text, isAnswered);
  const action = text.slice(at + MARK.length).trim();
  const thought = text.slice(0, at).replace(THOUGHT, "");
  const read = readAction(action, isAnswered);
  return read === null ? spoken(action, thought) : inForm(read, thought);
}

function readWithoutMark(text: string, isAnswered: boolean): TextMessage | null {
  const isFenced = text.includes("```");
  const read = isFenced ? null : readAction(text.replace(PYTHON_TAG, "").trim(), isAnswered);
  if (read !== null) return inForm(read, "");
  const final = FINAL.exec(text);
  return final === null ? null : spoken(text.slice(final.index + final[0].length), text.slice(0, final.index).replace(THOUGHT, ""));
}

const spoken = (content: string, thought: string): TextMessage => ({
  isInForm: false,
  content: textOrNull(content),
  reasoning: textOrNull(thought),
  calls: [],
});

function inForm({ calls, rest }: Action, thought: string): TextMessage {
  const said = respondText(calls);
  return said === null
    ? { isInForm: true, content: textOrNull(rest), reasoning: textOrNull(thought), calls }
    : { isInForm: true, content: said === "" ? null : said, reasoning: textOrNull(`${thought}\n${rest}`), calls: [] };
}

interface Action {
  readonly calls: readonly TextCall[];
  /** What stands around them. */
  readonly rest: string;
}

/** JSON is an action in any case; Python literals and JSON among other text were one only where a result follows. */
function readAction(action: string, isAnswered: boolean): Action | null {
  const whole = isAnswered || parseEither(action)?.isJson === true ? callsOfText(action) : null;
  const calls = whole ?? callWithInput(action);
  if (calls !== null) return { calls, rest: "" };
  return isAnswered ? readWithin(action) : null;
}

function callWithInput(action: string): TextCall[] | null {
  const [, name, input] = WITH_INPUT.exec(action) ?? [];
  if (name === undefined || input === undefined) return null;
  const parsed = parseEither(input.trim());
  return parsed !== null && isDict(parsed.value) ? [{ name, ...readArguments(input.trim()) }] : null;
}

/** The object from the first brace to the last, fenced or not. */
function readWithin(action: string): Action | null {
  const [start, end] = [action.indexOf("{"), action.lastIndexOf("}") + 1];
  const calls = start < 0 ? null : callsOfText(action.slice(start, end));
  if (calls === null) return null;
  const around = [action.slice(0, start).replace(FENCE_START, ""), action.slice(end).replace(FENCE_END, "")];
  return { calls, rest: around.join("\n") };
}
