import { z } from "zod";
import { Sha256 } from "./artifact-ref.ts";

/** Reward tiers of methods.md 13.6 (finer scheme). The seven published tiers are the coarse scheme. */
export const FINER_TIERS = [
  "gold_write",
  "gold_read",
  "equiv_write",
  "wrong_write",
  "soft_write",
  "soft_read",
  "read",
  "state",
  "transfer",
  "error",
  "duplicate",
  "message",
] as const;
/** The finer tiers, and writes with an argument that neither user nor tools have said. */
export const GROUNDED_TIERS = [...FINER_TIERS, "ungrounded_arg"] as const;
export const PAPER_TIERS = ["gold", "soft", "read", "state", "message", "error", "duplicate"] as const;

export const TierScheme = z.enum(["finer/1", "paper/1", "grounded/1"]).meta({ id: "TierScheme" });
export type TierScheme = z.infer<typeof TierScheme>;

/** A tier's weight: a number, or "soft" for the graded 0.5 + 0.5 * matched share of methods.md 2.4. */
export const TierValue = z.union([z.number(), z.literal("soft")]);
export type TierValue = z.infer<typeof TierValue>;

/** Tier -> turn reward, frozen and content-hashed. `sha256` covers everything but itself (canonical JSON). */
export const RewardTable = z
  .strictObject({
    schemaVersion: z.literal(1),
    name: z.string().min(1),
    scheme: TierScheme,
    values: z.record(z.string(), TierValue),
    intendedSigns: z.record(z.string(), z.union([z.literal(-1), z.literal(0), z.literal(1)])),
    lineage: z.strictObject({
      parentSha256: Sha256.nullable(),
      bufferSha256: Sha256.nullable().describe("hash of the rollouts it was fitted on"),
      rule: z.string().describe("hand-set, algorithm-1/1, within-task/1, …"),
      iteration: z.int().nonnegative().nullable(),
    }),
    sha256: Sha256,
  })
  .meta({ id: "RewardTable" });
export type RewardTable = z.infer<typeof RewardTable>;

/** A file of configs/rewards: values by tier, everything else is worked out. Tiers left out are worth 0. */
export const RewardTableFile = z
  .strictObject({
    schemaVersion: z.literal(1),
    name: z.string().min(1),
    description: z.string().optional(),
    scheme: TierScheme,
    values: z.record(z.string(), TierValue),
    intendedSigns: RewardTable.shape.intendedSigns
      .optional()
      .describe("what a tier is meant to do: 1 reinforce, -1 suppress, 0 neither; default: the sign of its value"),
  })
  .meta({ id: "RewardTableFile" });
export type RewardTableFile = z.infer<typeof RewardTableFile>;
