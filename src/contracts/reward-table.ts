import { z } from "zod";
import { Sha256 } from "./artifact-ref.ts";
import { upcastRewardTable } from "./upcast/reward-table.ts";
import { upcastingBy } from "./upcast/upcasting.ts";

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

export const BuiltInTierScheme = z.enum(["finer/1", "paper/1", "grounded/1"]).meta({ id: "BuiltInTierScheme" });
export type BuiltInTierScheme = z.infer<typeof BuiltInTierScheme>;

const TierName = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, "a tier is lower-case letters, digits and underscores, at most 40");

/** What has to be true of a call. Everything that is named must hold; a turn without a call (`message`) has nothing but its position. */
export const CallPredicate = z
  .strictObject({
    tool: z.array(z.string().min(1)).min(1).optional().describe("the tool is one of these"),
    isError: z.boolean().optional(),
    isGold: z.boolean().optional().describe("equal to a golden call that no earlier call had matched"),
    isDuplicate: z.boolean().optional().describe("same tool and arguments as an earlier call of the trajectory"),
    isWrite: z.boolean().optional(),
    isTransfer: z.boolean().optional(),
    isGrounded: z.boolean().optional().describe("every argument of a write stands in a user message or a tool result"),
    isDoubtful: z
      .boolean()
      .optional()
      .describe('near to a golden or an earlier call, and nearer if "1" and 1 are the same to the tool, which no schema says'),
    effect: z.enum(["equivalent", "different", "unknown"]).optional().describe("of a write that is not gold, judged by replay"),
    partialMatch: z
      .strictObject({ min: z.number().min(0).max(1).default(0), max: z.number().min(0).max(1).default(1) })
      .optional()
      .describe("share of arguments equal to those of a golden call of that name"),
    turn: z
      .strictObject({ min: z.int().nonnegative().default(0), max: z.int().nonnegative().optional() })
      .optional()
      .describe("position of the turn in the trajectory, from 0, both ends included"),
  })
  .refine((predicate) => Object.values(predicate).some((value) => value !== undefined), "a predicate names at least one fact")
  .meta({ id: "CallPredicate" });
export type CallPredicate = z.infer<typeof CallPredicate>;

/** Calls of tier `from` for which `when` holds are told apart as tier `tier`. */
export const TierSplit = z.strictObject({ tier: TierName, from: TierName, when: CallPredicate }).meta({ id: "TierSplit" });
export type TierSplit = z.infer<typeof TierSplit>;

/** A tier scheme of one's own: a built-in one, and splits of its tiers, tried in order. Data only; nothing of it is executed. */
export const OwnTierScheme = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower-case letters, digits and hyphens, at most 63"),
    base: BuiltInTierScheme,
    splits: z.array(TierSplit).min(1).max(50),
  })
  .meta({ id: "OwnTierScheme" });
export type OwnTierScheme = z.infer<typeof OwnTierScheme>;

/** A scheme of calls that are compared with golden actions. */
export const CallTierScheme = z.union([BuiltInTierScheme, OwnTierScheme]).meta({ id: "CallTierScheme" });
export type CallTierScheme = z.infer<typeof CallTierScheme>;

/** A scheme that an environment brings with its labeller. Whole, so that a table of the record says by itself what it is over. */
export const EnvironmentTierScheme = z
  .strictObject({
    id: z.string().regex(/^[a-z][a-z0-9-]*\/[1-9]\d*$/, "lower-case letters, digits and hyphens, a slash and a version, as code/1"),
    tiers: z.array(TierName).min(1),
    sameDeed: z.array(z.array(TierName).min(2)).describe("tiers that mean the same deed under different names"),
  })
  .meta({ id: "EnvironmentTierScheme" });
export type EnvironmentTierScheme = z.infer<typeof EnvironmentTierScheme>;

export const TierScheme = z.union([BuiltInTierScheme, OwnTierScheme, EnvironmentTierScheme]).meta({ id: "TierScheme" });
export type TierScheme = z.infer<typeof TierScheme>;

/** How a file names a scheme: by its id, which the labeller of the environment knows, or with all of its splits. */
export const NamedTierScheme = z.union([OwnTierScheme, EnvironmentTierScheme.shape.id]).meta({ id: "NamedTierScheme" });
export type NamedTierScheme = z.infer<typeof NamedTierScheme>;

/** A YAML file of a tier scheme, for `--tiers FILE`. */
export const TierSchemeFile = OwnTierScheme.extend({ schemaVersion: z.literal(1), description: z.string().optional() }).meta({
  id: "TierSchemeFile",
});
export type TierSchemeFile = z.infer<typeof TierSchemeFile>;

/** A tier's weight: a number, or "soft" for the graded 0.5 + 0.5 * matched share of methods.md 2.4. */
export const TierValue = z.union([z.number(), z.literal("soft")]);
export type TierValue = z.infer<typeof TierValue>;

const IntendedSigns = z.record(z.string(), z.union([z.literal(-1), z.literal(0), z.literal(1)]));

/** The present form of a reward table. */
const RewardTable2 = z
  .strictObject({
    schemaVersion: z.literal(2),
    name: z.string().min(1),
    scheme: TierScheme,
    values: z.record(z.string(), TierValue),
    intendedSigns: IntendedSigns.describe(
      "what the advantages of a tier are held to; what its author intends stands in the author's table",
    ),
    lineage: z.strictObject({
      parentSha256: Sha256.nullable().describe("the table that it was made from: the one in force, or the one whose tiers it splits"),
      authorSha256: Sha256.nullable().describe("the author's table that the campaign began with; null for that table itself, and in 0.1.0"),
      bufferSha256: Sha256.nullable().describe("hash of the rollouts it was fitted on"),
      rule: z.string().describe("hand-set, algorithm-1/1, within-task/2, …"),
      iteration: z.int().nonnegative().nullable(),
    }),
    sha256: Sha256,
  })
  .meta({ id: "RewardTable" });

/** Tier -> turn reward, frozen and content-hashed. `sha256` covers everything but itself (canonical JSON). Reads tables of 0.1.0, too. */
export const RewardTable = upcastingBy(RewardTable2, upcastRewardTable);
export type RewardTable = z.infer<typeof RewardTable2>;

/** A file of configs/rewards: values by tier, everything else is worked out. Tiers left out are worth 0. */
export const RewardTableFile = z
  .strictObject({
    schemaVersion: z.literal(1),
    name: z.string().min(1),
    description: z.string().optional(),
    scheme: NamedTierScheme,
    values: z.record(z.string(), TierValue),
    intendedSigns: IntendedSigns.optional().describe(
      "what a tier is meant to do: 1 reinforce, -1 suppress, 0 neither; default: the sign of its value",
    ),
  })
  .meta({ id: "RewardTableFile" });
export type RewardTableFile = z.infer<typeof RewardTableFile>;
