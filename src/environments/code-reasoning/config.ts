// What a campaign file says of the environment `code-reasoning`. Defaults are filled here.
import { z } from "zod";
import { CodeTaskOptions } from "#contracts/code-task.ts";

/** Seconds that all cells of an episode may take together: tests run them again, within the time that a grade gets. */
const MOST_SECONDS = 200;

export const CodeTaskSource = z.discriminatedUnion("source", [
  z.strictObject({ source: z.literal("generated"), ...CodeTaskOptions.shape }),
  z
    .strictObject({
      source: z.literal("file"),
      path: z.string().min(1).describe("JSONL of one's own questions; which split a question is in is a hash of the question"),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional()
        .describe("of the file; filled in when the campaign starts, so that it goes on with the same questions or not at all"),
    })
    .describe("docs/code-reasoning.md"),
]);
export type CodeTaskSource = z.infer<typeof CodeTaskSource>;

export const CodeReasoningConfig = z
  .strictObject({
    type: z.literal("code-reasoning"),
    tasks: CodeTaskSource,
    runtime: z
      .enum(["pyodide", "subprocess"])
      .default("pyodide")
      .describe("subprocess is no sandbox: for whoever has a container around all of it"),
    cell: z
      .strictObject({
        seconds: z.number().positive().max(60).default(5).describe("of wall time; then its interpreter is killed"),
        outputBytes: z.int().min(256).max(65_536).default(4_096).describe("of output that are kept; the model is shown as many characters"),
      })
      .prefault({}),
    maxCells: z.int().positive().max(100).default(8).describe("of an episode; later ones are not run, and the model is told so"),
    answer: z
      .enum(["boxed", "tool"])
      .default("boxed")
      .describe("boxed: in \\boxed{} of the last message; tool: by calling `answer`, a box counts too"),
  })
  .superRefine(({ cell, maxCells }, context) => {
    if (cell.seconds * maxCells <= MOST_SECONDS) return;
    const message = `${maxCells} cells of ${cell.seconds} s are more than the ${MOST_SECONDS} s that an episode's cells may take together`;
    context.addIssue({ code: "custom", path: ["maxCells"], message });
  })
  .meta({ id: "CodeReasoningConfig" });
export type CodeReasoningConfig = z.infer<typeof CodeReasoningConfig>;
