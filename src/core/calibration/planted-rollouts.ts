// Rollouts whose truth is known: one tier that helps, one that hurts, one that does nothing, and one that does nothing but marks
// hard tasks. What calibration says about them can be right or wrong.

import { createIndexGenerator } from "../random.ts";
import type { LabelledRollout } from "../reward/label-rollout.ts";
import type { LabelledTurn } from "../reward/label-trajectory.ts";
import { deriveSeed } from "../rng.ts";
import { normalQuantile } from "../statistics/normal.ts";

/** Which tier plays which part. All are tiers of finer/1. */
export const PLANTED = { useful: "gold_write", harmful: "state", neutral: "read", confounded: "transfer" } as const;

export interface PlantedOptions {
  readonly numRollouts: number;
  readonly groupSize: number;
  readonly seed: string;
  /** Change of the log-odds of passing when the useful tier occurs; the harmful one has the opposite effect. */
  readonly effect: number;
  /** Standard deviation of task difficulty, in log-odds. */
  readonly difficultySpread: number;
}

const PRESENCE = { useful: 0.5, harmful: 0.35, neutral: 0.5 } as const;
/** How strongly the confounded tier marks hard tasks. */
const CONFOUNDING = 1.5;
const MESSAGES = { min: 1, span: 5 } as const;
const DRAWS = 1 << 24;

/** A buffer of complete groups, one user per task. Deterministic in the seed. */
export function plantedRollouts(options: PlantedOptions): LabelledRollout[] {
  const numTasks = Math.max(1, Math.round(options.numRollouts / options.groupSize));
  return Array.from({ length: numTasks }, (_, task) => plantedGroup(task, options)).flat();
}

function plantedGroup(task: number, options: PlantedOptions): LabelledRollout[] {
  const generator = createIndexGenerator(deriveSeed(options.seed, "planted", task));
  const uniform = () => (generator.nextIndex(DRAWS) + 0.5) / DRAWS;
  const difficulty = options.difficultySpread * normalQuantile(uniform());
  return Array.from({ length: options.groupSize }, (_, trial) => {
    const isPresent = {
      useful: uniform() < PRESENCE.useful,
      harmful: uniform() < PRESENCE.harmful,
      neutral: uniform() < PRESENCE.neutral,
      confounded: uniform() < sigmoid((CONFOUNDING * difficulty) / Math.max(options.difficultySpread, 1e-9)),
    };
    const effect = (isPresent.useful ? 1 : 0) - PRESENCE.useful - (isPresent.harmful ? 1 : 0) + PRESENCE.harmful;
    const outcome = uniform() < sigmoid(options.effect * effect - difficulty) ? 1 : 0;
    const tiers = (Object.keys(PLANTED) as (keyof typeof PLANTED)[]).filter((part) => isPresent[part]).map((part) => PLANTED[part]);
    const messages = new Array<string>(MESSAGES.min + generator.nextIndex(MESSAGES.span)).fill("message");
    return {
      taskId: `task-${task}`,
      userId: `user-${task}`,
      trial,
      outcome,
      isTruncated: false,
      turns: shuffle([...tiers, ...messages], generator.nextIndex).map(plantedTurn),
    };
  });
}

function plantedTurn(tier: string, turn: number): LabelledTurn {
  return { turn, tier, callTiers: tier === "message" ? [] : [{ callIndex: 0, tier, match: null }], softMatch: null, numIgnoredCalls: 0 };
}

function shuffle(items: string[], nextIndex: (bound: number) => number): string[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = nextIndex(last + 1);
    [items[last], items[other]] = [items[other] as string, items[last] as string];
  }
  return items;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
