// How turn rewards and outcomes become advantages: one object per estimator, with the switches that it reads and no other. The formulas
// are in core/advantage/estimators.ts.
// Formulas, needs and known bias of each: docs/estimators.md. An id names one formula for ever; a changed formula is a new version.
import { z } from "zod";

/** Read by every estimator: what takes part. */
export const GroupSwitches = {
  degenerateGroups: z.enum(["keep", "drop", "outcome_only"]).default("outcome_only").describe("groups whose outcomes are all equal"),
  truncated: z.enum(["zero", "mask", "drop"]).default("zero"),
};

/** Read by estimators that take z-scores. The order of keys is that of release 0.1.0: it is in the header of every batch. */
const Scores = {
  ddof: z.union([z.literal(0), z.literal(1)]).default(1),
  epsilon: z.number().positive().default(1e-6),
  minSetSize: z.int().min(1).default(2),
  ...GroupSwitches,
  singletons: z.enum(["zero", "raw"]).default("zero").describe("what a set of one value gives; raw is verl's behaviour"),
};

/** Read by estimators that compare turns of the same index. */
const ScoresByTurn = {
  ...Scores,
  missingTurns: z
    .enum(["leave-out", "zero"])
    .default("leave-out")
    .describe("turns that a shorter trajectory never reached, in the statistics of their index"),
};

const gamma = z.number().min(0).max(1).default(0.9);
const terminal = z.enum(["virtual", "last"]).default("virtual");
const scope = z.enum(["turn", "group", "batch"]).default("turn");
const normalizeByStd = z.boolean().default(true).describe("false: only the mean is taken off (Dr. GRPO, arXiv:2503.20783)");

export const AdvantageConfig = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("grpo/1"), normalizeByStd, ...Scores }),
  z.strictObject({
    type: z.literal("mt-grpo/1").describe("as published (arXiv:2604.02869, Eq. 1); does not see what going on earns or costs"),
    alpha: z.number().positive().max(1).default(1),
    lambda: z.number().nonnegative().default(1),
    lastTurnRewarded: z.boolean().default(true),
    ...ScoresByTurn,
  }),
  z.strictObject({
    type: z.literal("mt-grpo/2").describe("a trajectory that has stopped has reward 0 at later turns, and is charged their mean"),
    alpha: z.number().positive().max(1).default(1).describe("discount of later turn rewards; the outcome is not discounted"),
    lambda: z.number().nonnegative().default(1).describe("weight of the outcome advantage"),
    normalizeByStd: normalizeByStd.default(false),
    ...Scores,
  }),
  z.strictObject({ type: z.literal("gtpo/1"), gamma, terminal, scope, ...ScoresByTurn }),
  z.strictObject({
    type: z.literal("gtpo-hybrid/1"),
    gamma,
    lambda: z.number().nonnegative().default(0.3),
    terminal,
    scope,
    ...ScoresByTurn,
  }),
  z.strictObject({
    type: z.literal("gdpo/1").describe("turn rewards and outcome normalised apart, then whitened over the batch (arXiv:2601.05242)"),
    processWeight: z.number().nonnegative().default(1),
    outcomeWeight: z.number().nonnegative().default(1),
    whiten: z.boolean().default(true),
    ...Scores,
    epsilon: z.number().positive().default(1e-4),
  }),
  z.strictObject({
    type: z
      .literal("proxmo/1")
      .describe("returns against those of similar states of the group (arXiv:2602.19225); needs the conversations"),
    gamma: z.number().min(0).max(1).default(0.95),
    terminal: z.enum(["virtual", "last"]).default("last"),
    temperature: z.number().positive().default(0.1),
    polarAlpha: z.number().positive().default(4),
    polarBeta: z.number().nonnegative().default(0.1),
    omega: z.number().nonnegative().default(1),
    ...GroupSwitches,
  }),
  z.strictObject({
    type: z.literal("a3/1").describe("outcome, action clusters and a tree of turn prefixes (after arXiv:2605.08013); needs the actions"),
    intentWeight: z.number().nonnegative().default(0.65),
    treeWeight: z.number().nonnegative().default(1),
    supportPrior: z.number().positive().default(0.1),
    treeGamma: z.number().min(0).max(1).default(0.9),
    minScale: z.number().positive().default(0.5),
    bound: z.number().positive().default(1.1),
    ...GroupSwitches,
  }),
]);
export type AdvantageConfig = z.infer<typeof AdvantageConfig>;
export type EstimatorId = AdvantageConfig["type"];
