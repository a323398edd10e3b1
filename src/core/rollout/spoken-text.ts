// What of an agent's message is said aloud. A model's reasoning is nobody's business but its own: not the user's, not the grader's.
import { takeBlocks } from "../blocks.ts";

const TAGS = "think|seed:think|thinking|thought|thoughts|reasoning|reflection|scratchpad";
/** Tags, Mistral's brackets, the channels of Gemma 4 and the triangles of Kimi-VL. */
const OPENING = new RegExp(`<(?:${TAGS})>|\\[THINK\\]|<\\|channel>|◁think▷`, "gi");
function closingOf(opening: string): RegExp {
  if (opening.startsWith("[")) return /\[\/THINK\]/gi;
  if (opening.startsWith("◁")) return /◁\/think▷/gi;
  return opening.startsWith("<|") ? /<channel\|>/gi : new RegExp(`</${opening.slice(1).toLowerCase()}`, "gi");
}
/** A template may open the block inside the prompt, so that the message begins in the middle of it. */
const UP_TO_CLOSING = new RegExp(`^[\\s\\S]*(</(${TAGS})>|\\[/THINK\\]|<channel\\|>|◁/think▷)`, "i");
const FROM_OPENING = new RegExp(`(<(${TAGS})>|\\[THINK\\]|<\\|channel>|◁think▷)[\\s\\S]*$`, "i");
/** OpenAI's open models write channels; only the final one is meant for the reader. */
const UP_TO_FINAL = /^[\s\S]*<\|channel\|>final<\|message\|>/;
const ANALYSIS = /<\|channel\|>(analysis|commentary)[\s\S]*$/;

/** The message without reasoning blocks: closed, cut off, or opened by the prompt. A message without any comes back as it is. */
export function spokenText(content: string): string {
  const channels = content.replace(UP_TO_FINAL, "").replace(ANALYSIS, "");
  const spoken = takeBlocks(channels, OPENING, closingOf).rest.replace(UP_TO_CLOSING, "").replace(FROM_OPENING, "");
  return spoken === content ? content : spoken.trim();
}

/** Characters of the message that are not said aloud: reasoning with its tags. 0 for a message without any. */
export function numUnspoken(content: string): number {
  const spoken = spokenText(content);
  return spoken === content ? 0 : content.length - spoken.length;
}
