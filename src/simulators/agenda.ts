// What a scripted user wants and knows. Generated tasks carry an agenda; for tau-bench's tasks one is derived (derive-agenda.ts).
import { z } from "zod";

const CancelReason = z.enum(["change of plan", "health", "weather"]);

/** One thing the user wants. A null fact is something this user does not know or did not decide. */
export const Wish = z.strictObject({
  kind: z.enum(["cancel", "bags", "cabin", "flight", "certificate", "book", "passengers", "other"]),
  words: z.string().nullable().describe("the wish in the user's own words; null: made from the facts"),
  trip: z
    .strictObject({ id: z.string(), origin: z.string(), destination: z.string(), isKnownById: z.boolean() })
    .nullable()
    .describe("isKnownById false: the user remembers the airports only"),
  reason: CancelReason.nullable(),
  bags: z.int().nullable().describe("checked bags to add; negative: to remove"),
  cabin: z.enum(["basic_economy", "economy", "business"]).nullable(),
  isOneSegmentOnly: z.boolean().describe("asks for something that can only be done for the whole trip"),
  date: z.string().nullable(),
  time: z.enum(["earliest", "latest"]).nullable(),
  payment: z.string().nullable().describe("payment source such as gift_card, or payment ids"),
  details: z.string().nullable().describe("what the user answers to any other question"),
  insists: z.boolean().describe("asks once more after a refusal"),
});
export type Wish = z.infer<typeof Wish>;

export const Agenda = z.strictObject({
  userId: z.string().nullable(),
  opensWithUserId: z.boolean(),
  wishes: z.array(Wish).min(1),
});
export type Agenda = z.infer<typeof Agenda>;

/** A wish with no facts but those given. */
export function wish(kind: Wish["kind"], facts: Partial<Wish> = {}): Wish {
  return {
    kind,
    words: null,
    trip: null,
    reason: null,
    bags: null,
    cabin: null,
    isOneSegmentOnly: false,
    date: null,
    time: null,
    payment: null,
    details: null,
    insists: false,
    ...facts,
  };
}
