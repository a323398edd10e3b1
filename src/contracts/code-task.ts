// Tasks of the environment code-reasoning: a question, and an answer or tests that say whether it was solved.
import { z } from "zod";

/** Python statements that run after the program, in its namespace. Each passes when it raises nothing, e.g. `assert f([1, 2]) == 3`. */
const Tests = z.array(z.string().min(1)).min(1);
const Id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]*$/)
  .describe("unique in its task set and safe as a file name");

export const CODE_FAMILIES = ["arithmetic", "dates", "counting", "tables", "programs"] as const;
export const CodeFamily = z.enum(CODE_FAMILIES).meta({ id: "CodeFamily" });
export type CodeFamily = z.infer<typeof CodeFamily>;

export const CodeTask = z
  .strictObject({
    schemaVersion: z.literal(1),
    id: Id,
    family: CodeFamily.nullable().describe("null for a question of one's own"),
    question: z.string().min(1),
    answer: z.string().min(1).nullable().describe("or a solution that ends with it, in a box or after ####; null where tests decide"),
    tests: Tests.nullable(),
    difficulty: z.int().min(1).max(5).nullable().describe("1 is the easiest of its family; null where nobody said"),
    solution: z.string().nullable().describe("a Python program that prints the answer or passes the tests; for demonstrations"),
  })
  .refine(({ answer, tests }) => answer !== null || tests !== null, "a task has an answer or tests")
  .meta({ id: "CodeTask" });
export type CodeTask = z.infer<typeof CodeTask>;

/** One line of a JSONL file of one's own questions. GSM8K's lines are such lines. */
export const CodeQuestionLine = z
  .strictObject({
    id: Id.optional().describe("default: q- and the start of the question's hash"),
    question: z.string().trim().min(1),
    answer: z
      .union([z.string().trim().min(1), z.number().transform(String)])
      .optional()
      .describe("or a whole solution that ends with it, in a box or after ####; may be left out where tests decide"),
    tests: Tests.optional().describe("Python statements; the model's program passes when none raises"),
    difficulty: z.int().min(1).max(5).optional(),
  })
  .refine(({ answer, tests }) => answer !== undefined || tests !== undefined, "wanted an answer, tests or both")
  .meta({ id: "CodeQuestionLine" });
export type CodeQuestionLine = z.infer<typeof CodeQuestionLine>;

const Count = z.int().nonnegative().max(100_000);
/** What is generated. Splits do not depend on the seed: a question of the test is in no training split of any seed. */
export const CodeTaskOptions = z
  .strictObject({
    seed: z.int().nonnegative(),
    families: z
      .array(CodeFamily)
      .min(1)
      .default([...CODE_FAMILIES]),
    difficulties: z.array(z.int().min(1).max(5)).min(1).default([1, 2, 3, 4, 5]),
    train: Count.describe("number of tasks, dealt to families and difficulties in turn"),
    selection: Count,
    test: Count,
  })
  .meta({ id: "CodeTaskOptions" });
export type CodeTaskOptions = z.infer<typeof CodeTaskOptions>;
