// Where a model says its answer.
import { closingBrace } from "./brackets.ts";

const BOX = /\\(?:boxed|fbox)(?![a-zA-Z])\s*/y;
const HASHES = "####";

/**
 * What stands in the last `\boxed{}` or `\fbox{}`, or after the last `####` to the end of its line, whichever begins later; null when there is
 * neither, or nothing in it. As the MATH benchmark has it, the box that begins last wins, also inside another one, and one that is not closed
 * is no answer; `\boxed 3` without braces goes to the next `$` or the end of the line. Time is linear in the text.
 */
export function extractAnswer(text: string): string | null {
  const box = lastBox(text);
  const hashes = text.lastIndexOf(HASHES);
  const answer = box !== null && box.at > hashes ? box.content : hashes < 0 ? null : firstLine(text, hashes + HASHES.length);
  return answer === null || answer.trim() === "" ? null : answer.trim();
}

/** What a final tool was given: the answer itself, or a text that has it in a box. */
export function answerOfTool(argument: string): string | null {
  return extractAnswer(argument) ?? (argument.trim() === "" || lastBox(argument) !== null ? null : argument.trim());
}

/** The content is null when the box is not closed. */
function lastBox(text: string): { readonly at: number; readonly content: string | null } | null {
  for (let at = text.lastIndexOf("\\"); at >= 0; at = at === 0 ? -1 : text.lastIndexOf("\\", at - 1)) {
    BOX.lastIndex = at;
    if (BOX.test(text)) return { at, content: boxContent(text, BOX.lastIndex) };
  }
  return null;
}

function boxContent(text: string, start: number): string | null {
  if (text[start] !== "{") return (firstLine(text, start).split("$", 1)[0] as string).replaceAll("}", "");
  const end = closingBrace(text, start);
  return end < 0 ? null : text.slice(start + 1, end);
}

function firstLine(text: string, start: number): string {
  const end = text.indexOf("\n", start);
  return text.slice(start, end < 0 ? text.length : end);
}
