// campaigns/<id>/steering/<nnnn>.json: every word that steered a campaign, of a person or of a guard. Written before it has an effect.
import { z } from "zod";
import { Sha256 } from "./artifact-ref.ts";
import { BudgetConfig } from "./campaign-config.ts";
import { CampaignId } from "./manifests.ts";

/** Characters. What a trainer says when it fails can be long, and a word travels with every signal. */
export const LONGEST_REASON = 4000;

const Said = {
  schemaVersion: z.literal(1),
  campaignId: CampaignId,
  number: z.int().positive().describe("1, 2, … in the order in which the words had their effect"),
  iteration: z.int().nonnegative().describe("that ran, or would run next, when it was said"),
  by: z.enum(["person", "guard", "failure"]),
  who: z.string().describe("the account on its machine, or the code of the guard or failure"),
  why: z.string().describe("empty where nothing was said"),
  at: z.iso.datetime(),
};

export const SteeringWord = z
  .discriminatedUnion("word", [
    z.strictObject({ ...Said, word: z.literal("pause") }),
    z.strictObject({ ...Said, word: z.literal("resume") }),
    z.strictObject({ ...Said, word: z.literal("stop"), withTest: z.boolean() }),
    z.strictObject({ ...Said, word: z.literal("budget"), budget: BudgetConfig }),
    z.strictObject({ ...Said, word: z.literal("approve"), table: Sha256.describe("of the fitted reward table that was asked about") }),
    z.strictObject({ ...Said, word: z.literal("reject"), table: Sha256 }),
  ])
  .meta({ id: "SteeringWord" });
export type SteeringWord = z.infer<typeof SteeringWord>;
