import type { CodeReasoningConfig } from "../config.ts";

export function systemPrompt({ answer, cell, maxCells }: CodeReasoningConfig): string {
  const giving = answer === "tool" ? "by calling `answer`" : "in \\boxed{}";
  return `Solve the problem step by step. Use the tool \`python\` to compute instead of computing yourself: begin with a call.
Names stay from one call to the next. You are shown what the code prints and the value of its last expression.
At most ${maxCells} calls of ${cell.seconds} seconds each; standard library only, no network, no files.
When you know the answer, give it ${giving}. When a program is asked for, define it with \`python\`, try it, and then end with a message that calls nothing.`;
}
