// How often the gate was right on planted buffers.
import { z } from "zod";

const Count = z.int().nonnegative();

/** Decisions over `numSeeds` buffers. Right: the fitted table has the signs of the truth and 0 where nothing is. */
export const TestbedCell = z.strictObject({
  rule: z.enum(["within-task", "algorithm-1"]),
  numRollouts: z.int().positive(),
  world: z.enum(["planted", "null"]).describe("null: no tier has any effect, so no table is right"),
  numSeeds: z.int().positive(),
  acceptRight: Count,
  acceptWrong: Count.describe("false accepts"),
  rejectRight: Count.describe("false rejects"),
  rejectWrong: Count,
  insufficientRight: Count,
  insufficientWrong: Count,
});
export type TestbedCell = z.infer<typeof TestbedCell>;

export const TestbedReport = z
  .strictObject({ schemaVersion: z.literal(1), seed: z.string(), resamples: z.int(), folds: z.int(), cells: z.array(TestbedCell) })
  .meta({ id: "TestbedReport" });
export type TestbedReport = z.infer<typeof TestbedReport>;
