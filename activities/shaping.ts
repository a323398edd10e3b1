// What failed rollouts earn for programs that come near to those that passed, where a campaign asks for it.
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import { requireProgram, shapedRewards } from "#core/advantage/shaping/shape-groups.ts";
import type { LabelledRollout } from "#core/reward/label-rollout.ts";
import type { OpenedCampaign } from "./campaign.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import type { CommittedGroup } from "./groups.ts";

type Shaped = (rollouts: readonly LabelledRollout[]) => LabelledRollout[];

/**
 * Gives labelled rollouts of these groups their shaped reward; outcomes, which statistics of passes are of, stay. Calibration and the batch
 * come by the same rewards. Throws what the embedder throws.
 */
export async function shapeGroups(
  { openEmbedder }: Pick<ActivityDependencies, "openEmbedder">,
  { config, labeller, world }: Pick<OpenedCampaign, "config" | "labeller" | "world">,
  groups: readonly CommittedGroup[],
  signal: AbortSignal,
): Promise<Shaped> {
  const { shaping } = config.reward;
  if (shaping === undefined) return (rollouts) => [...rollouts];
  const program = requireProgram(shaping, labeller.program, world.id);
  const trajectories_PG = groups.map(({ trajectories }) => trajectories);
  const rewards_PG = await shapedRewards(trajectories_PG, shaping, { program, openEmbedder, signal });
  const rewardOf = new Map(
    trajectories_PG.flatMap((group, p) => group.map(({ taskId, trial }, g) => [`${taskId} ${trial}`, rewards_PG[p]?.[g] ?? 0])),
  );
  return (rollouts) =>
    rollouts.map((rollout) => ({ ...rollout, reward: rewardOf.get(`${rollout.taskId} ${rollout.trial}`) ?? rollout.outcome }));
}

/** For the header of a batch, behind its estimator; empty where nothing is shaped. */
export function describeShaping({ reward: { shaping } }: CampaignConfig): string {
  if (shaping === undefined) return "";
  const { alpha, similarity } = shaping;
  return ` shaping.alpha=${alpha} shaping.similarity=${similarity.type === "tokens" ? "tokens" : similarity.model}`;
}
