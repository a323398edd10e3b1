// What pauses a campaign because something looks wrong. Each rule is a pure function of what was measured.

import type { GuardConfig } from "#contracts/campaign-config.ts";
import type { CampaignProgress } from "#contracts/campaign-status.ts";
import { formatDecimal, formatNumber, formatPercent } from "../format.ts";

export interface RaisedGuard {
  readonly code: GuardCode;
  readonly message: string;
}
type GuardCode =
  | "guard.truncation"
  | "guard.gate-rejects"
  | "guard.gradient-norm"
  | "guard.user-errors"
  | "guard.pass-rate-collapse"
  | "guard.disk";

/** Below this a rate says too little to be compared with another one. */
const LEAST_TRUNCATION_RATE = 0.05;
const LEAST_PASS_RATE = 0.1;

/** After the training rollouts. Rates are shares in [0, 1]. */
export function guardRollouts(
  guards: GuardConfig,
  before: Pick<CampaignProgress, "trainTruncationRate" | "bestTrainPassRate">,
  now: { readonly passRate: number; readonly truncationRate: number; readonly userErrorRate: number },
): RaisedGuard[] {
  const { truncationGrowth, userErrorRate, passRateCollapse } = guards;
  const raised: RaisedGuard[] = [];
  const earlier = before.trainTruncationRate;
  const isTruncated = now.truncationRate > LEAST_TRUNCATION_RATE;
  if (truncationGrowth !== null && earlier !== null && isTruncated && now.truncationRate >= truncationGrowth * earlier) {
    const message = `the truncation rate rose from ${formatPercent(earlier)} to ${formatPercent(now.truncationRate)}`;
    raised.push({ code: "guard.truncation", message });
  }
  if (userErrorRate !== null && now.userErrorRate > userErrorRate) {
    const message = `the simulated user spoiled ${formatPercent(now.userErrorRate)} of the attempts at a rollout, more than ${formatPercent(userErrorRate)}`;
    raised.push({ code: "guard.user-errors", message });
  }
  const best = before.bestTrainPassRate;
  if (passRateCollapse !== null && best !== null && best >= LEAST_PASS_RATE && now.passRate < passRateCollapse * best) {
    const message = `the training pass rate fell to ${formatPercent(now.passRate)}, below ${formatPercent(passRateCollapse)} of the best one, ${formatPercent(best)}`;
    raised.push({ code: "guard.pass-rate-collapse", message });
  }
  return raised;
}

/** After the gate's verdict. */
export function guardRejects(
  { consecutiveRejects: limit }: GuardConfig,
  before: Pick<CampaignProgress, "consecutiveRejects">,
  decision: string,
): RaisedGuard[] {
  const count = decision === "reject" ? before.consecutiveRejects + 1 : 0;
  if (limit === null || count < limit) return [];
  return [{ code: "guard.gate-rejects", message: `the gate rejected ${count} reward tables in a row` }];
}

/** After training. `highest` is the largest norm of an optimizer step's gradient; methods.md 13.11. */
export function guardGradient({ gradientNorm: limit }: GuardConfig, highest: number): RaisedGuard[] {
  if (limit === null || highest <= limit) return [];
  return [{ code: "guard.gradient-norm", message: `the gradient norm reached ${formatNumber(highest, 3)}, above ${limit}` }];
}

/** Before a stage. `freeGb` is what the record's disk has left, in GB of 10^9 bytes. */
export function guardDisk({ minFreeGb: limit }: GuardConfig, freeGb: number): RaisedGuard[] {
  if (limit === null || freeGb >= limit) return [];
  const message = `the record's disk has ${formatDecimal(freeGb, 1)} GB left, less than ${limit}; turnwise gc --dry-run says what could go`;
  return [{ code: "guard.disk", message }];
}
