// The shaped outcomes of groups of rollouts, by the similarity that a campaign asks for. Dimensions: P = task, G = member of a group.
import type { ShapingConfig } from "#contracts/shaping-config.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { CampaignError } from "../../errors.ts";
import { type CodeEmbedder, type EmbeddingCache, embeddingSimilarity } from "./embedding-similarity.ts";
import { type ProgramSimilarity, shapeOutcomes } from "./shape-outcomes.ts";
import { tokenSimilarity } from "./token-similarity.ts";

interface ShapingParties {
  /** The program that a rollout wrote; empty when it wrote none. */
  program(trajectory: Trajectory): string;
  /** Asked once, for all groups together; not asked where similarity is by tokens, or no group needs it. */
  openEmbedder(model: string): CodeEmbedder;
  readonly signal: AbortSignal;
}

type SimilarityOfGroup = (programs_G: readonly string[]) => Promise<ProgramSimilarity>;

/**
 * rewards_PG in the order of the trajectories, in [0, 1]. Groups where nobody or everybody passed stay as they are.
 * Throws what the embedder throws: where it gives no vectors, nobody gets a reward.
 */
export async function shapedRewards(
  trajectories_PG: readonly (readonly Trajectory[])[],
  { alpha, similarity }: ShapingConfig,
  parties: ShapingParties,
): Promise<number[][]> {
  const programs_PG = trajectories_PG.map((group) => (isMixed(group) ? group.map(parties.program) : []));
  const similarityOf = similarity.type === "tokens" ? byTokens : await byEmbedding(programs_PG.flat(), similarity.model, parties);
  return await Promise.all(
    trajectories_PG.map(async (group, position) => {
      const members_G = group.map(({ trial, outcome }) => ({ trial, outcome: outcome.reward ?? 0, passed: outcome.passed === true }));
      return isMixed(group)
        ? shapeOutcomes(members_G, await similarityOf(programs_PG[position] ?? []), alpha)
        : members_G.map(({ outcome }) => outcome);
    }),
  );
}

function isMixed(group: readonly Trajectory[]): boolean {
  const passes = group.filter(({ outcome }) => outcome.passed === true).length;
  return passes > 0 && passes < group.length;
}

const byTokens: SimilarityOfGroup = async (programs_G) => tokenSimilarity(programs_G);

async function byEmbedding(
  programs: readonly string[],
  model: string,
  { openEmbedder, signal }: ShapingParties,
): Promise<SimilarityOfGroup> {
  const embedder = openEmbedder(model);
  const cache: EmbeddingCache = new Map();
  await embeddingSimilarity(programs, embedder, cache, signal); // fills the cache: the groups ask nobody
  return (programs_G) => embeddingSimilarity(programs_G, embedder, cache, signal);
}

/** Throws config.invalid where shaping is asked for and the environment's rollouts write no programs. */
export function requireProgram<Program>(shaping: ShapingConfig, program: Program | undefined, environment: string): Program {
  if (program !== undefined) return program;
  throw new CampaignError("config.invalid", `reward.shaping compares programs, and rollouts of ${environment} write none`, {
    next: `leave reward.shaping (alpha ${shaping.alpha}) out, or use an environment whose agent writes code, as code-reasoning`,
  });
}
