// Campaign configs of every release, read as the one of today.
import type { z } from "zod";
import { CampaignConfig } from "../campaign-config.ts";
import { KEEP_EVERYTHING } from "../retention.ts";
import { upcastAdvantage } from "./advantage.ts";
import { upcastCalibration } from "./calibration.ts";
import { CampaignConfig1 } from "./campaign-config-1.ts";
import { upcastEnvironment } from "./environment.ts";
import { olderVersion, upcasting } from "./upcasting.ts";

/**
 * 0.1.0 promoted by its held-out tasks and reported the same figures: they are selection, and there is no test. Whatever it did not know
 * is written down as it behaved.
 */
export function upcastConfig1({
  environment,
  policy,
  calibration,
  evaluation,
  guards,
  advantage,
  ...config
}: z.output<typeof CampaignConfig1>): z.input<typeof CampaignConfig> {
  const { tasks, trials, margin, confidence } = evaluation;
  return {
    ...config,
    schemaVersion: 2,
    environment: upcastEnvironment(environment),
    policy: policy.type === "vllm" ? { ...policy, sendsReasoning: false } : policy,
    calibration: upcastCalibration(calibration) as z.input<typeof CampaignConfig>["calibration"],
    advantage: upcastAdvantage(advantage) as z.input<typeof CampaignConfig>["advantage"],
    evaluation: { confidence, seed: config.seed, userHelp: "judge" },
    selection: { tasks, trials, margin, ...promotionOf(evaluation) },
    test: null,
    guards: { ...guards, gradientNorm: null, userErrorRate: null, passRateCollapse: null, minFreeGb: null },
    pricing: { gpuHourUsd: 0 },
    retention: KEEP_EVERYTHING,
  };
}

/** It decided by the difference to the policy promoted last, and bounded it by a bootstrap over tasks. */
function promotionOf({ promote, bootstrapResamples }: z.output<typeof CampaignConfig1>["evaluation"]) {
  if (promote === "always") return { promote };
  return promote === "better" ? { promote: "better/1" as const, bootstrapResamples } : { promote: "not-worse/1" as const };
}

export const StoredCampaignConfig = upcasting(CampaignConfig, { 1: olderVersion(CampaignConfig1, upcastConfig1) });
