// The one list of estimators. Its keys are the ids of `AdvantageConfig`: an id without a formula, or a formula without settings, does not compile.
import type { AdvantageConfig, EstimatorId } from "#contracts/advantage-config.ts";
import { a3 } from "./a3.ts";
import type { Estimator, SettingsOf } from "./estimator.ts";
import { gdpo } from "./gdpo.ts";
import { grpo } from "./grpo.ts";
import { gtpo } from "./gtpo.ts";
import { hybrid } from "./hybrid.ts";
import { mtGrpo } from "./mt-grpo.ts";
import { chargedMtGrpo } from "./mt-grpo-charged.ts";
import { proxmo } from "./proxmo.ts";

export const ESTIMATORS: { readonly [Id in EstimatorId]: Estimator<SettingsOf<Id>> } = {
  "grpo/1": grpo,
  "mt-grpo/1": mtGrpo,
  "mt-grpo/2": chargedMtGrpo,
  "gtpo/1": gtpo,
  "gtpo-hybrid/1": hybrid,
  "gdpo/1": gdpo,
  "proxmo/1": proxmo,
  "a3/1": a3,
};

/** The estimator that settings name. */
export function estimatorOf<Settings extends AdvantageConfig>({ type }: Settings): Estimator<Settings> {
  return ESTIMATORS[type] as unknown as Estimator<Settings>;
}
