// The task set of a pure environment whose tasks have golden actions: its labeller compares calls with them, its data is all that it is made of.
import type { SplitScheme } from "#contracts/campaign-config.ts";
import { hashJson } from "#core/canonical-json.ts";
import type { Environment, PureTaskSet } from "#core/environment/environment.ts";
import { pureWorld } from "#core/environment/pure-episode.ts";
import type { Splits } from "#core/environment/splits.ts";
import type { TaskSet } from "#core/environment/task-set.ts";
import { goldenLabeller } from "#core/reward/golden-labeller.ts";

export function goldenTaskSet<State>(
  { environment: own, splits }: PureTaskSet<State>,
  { splits: scheme }: { readonly splits: SplitScheme },
  formats: TaskSet["formats"] = {},
): TaskSet {
  const environment = own as Environment;
  const shared = { world: pureWorld(environment), labeller: goldenLabeller(environment), formats, environment };
  if (scheme === "train-selection-test") return { ...shared, splits, dataSha256: hashOf(environment, splits) };
  const { selection, test, ...others } = splits;
  return { ...shared, splits: { ...others, selection: [...selection, ...test], test: [] }, dataSha256: environment.dataSha256 };
}

/** 0.1.0 left the splits out, so a campaign of that time has the environment's own hash. */
function hashOf(environment: Environment, { sft, train, selection, test }: Splits): string {
  return hashJson([environment.dataSha256, ...[sft, train, selection, test].map((tasks) => tasks.map(({ id }) => id))]);
}
