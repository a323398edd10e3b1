// Manifests of every release, read as those of today.
import type { z } from "zod";
import { CampaignEnd, CampaignManifest, GroupManifest, IterationManifest, StageManifest } from "../manifests.ts";
import type { Meter, Meters } from "../meters.ts";
import { upcastConfig1 } from "./campaign-config.ts";
import { GroupManifest2 } from "./group-manifest-2.ts";
import { CampaignEnd1, CampaignManifest1, GroupManifest1, IterationManifest1, StageManifest1 } from "./manifests-1.ts";
import { passedIn1 } from "./trajectory.ts";
import { olderVersion, upcasting } from "./upcasting.ts";

const NOTHING: Meter = { calls: 0, promptTokens: 0, completionTokens: 0, usd: 0, gpuSeconds: 0 };

/** 0.1.0 counted calls and tokens, and knew no prices of what it did. */
function metersOf(policy: Partial<Meter>, user: Partial<Meter> = {}): Meters {
  return { policy: { ...NOTHING, ...policy }, user: { ...NOTHING, ...user }, proposer: NOTHING, trainer: NOTHING };
}

/** Its evaluation chose the policy: it is called what it was. */
const today = <Name extends string>(name: Name | "evaluation") => (name === "evaluation" ? ("selection" as const) : name);

const upcastCampaign = ({ config, parent: _parent, ...manifest }: z.output<typeof CampaignManifest1>) => ({
  ...manifest,
  schemaVersion: 2,
  config: upcastConfig1(config),
  estimate: null,
  parent: null, // 0.1.0 could not fork
});

const upcastGroup = ({ usage, purpose, ...manifest }: z.output<typeof GroupManifest1>) => ({
  ...manifest,
  schemaVersion: 2,
  purpose: today(purpose),
  usage,
  meters: metersOf(
    { calls: usage.modelCalls, promptTokens: usage.promptTokens, completionTokens: usage.completionTokens },
    { calls: usage.simulatorCalls, promptTokens: usage.simulatorPromptTokens, completionTokens: usage.simulatorCompletionTokens },
  ),
  retriedByOutcome: {},
  numFlaggedStops: 0,
});

/** Until then a reward was 0 or 1, and 1 was the pass. */
const upcastGroup2 = ({ outcomes, ...manifest }: z.output<typeof GroupManifest2>) => ({
  ...manifest,
  schemaVersion: 3,
  outcomes: outcomes.map(({ type, reward, ...rest }) => ({ type, reward, passed: passedIn1(reward), ...rest })),
});

const upcastStage = ({ stage, metrics, ...manifest }: z.output<typeof StageManifest1>) => ({
  ...manifest,
  schemaVersion: 2,
  stage: today(stage),
  metrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name.replace(/^evaluation\//, "selection/"), value])),
  meters: metersOf({}),
});

const upcastIteration = ({ evaluationPassRate, modelCalls, ...manifest }: z.output<typeof IterationManifest1>) => ({
  ...manifest,
  schemaVersion: 2,
  selectionPassRate: evaluationPassRate,
  meters: metersOf({ calls: modelCalls }),
  runningSeconds: 0,
});

/** Also the answer for a campaign of 0.1.0 that has not ended. */
export const NO_TEST_IN_0_1_0 = "release 0.1.0 had no test: its figures are those that chose the policy";

const upcastEnd = (manifest: z.output<typeof CampaignEnd1>) => ({
  ...manifest,
  schemaVersion: 2,
  finalIteration: null,
  test: null,
  noTestReason: NO_TEST_IN_0_1_0,
});

export const StoredCampaignManifest = upcasting(CampaignManifest, { 1: olderVersion(CampaignManifest1, upcastCampaign) });
export const StoredGroupManifest = upcasting(GroupManifest, {
  1: olderVersion(GroupManifest1, upcastGroup),
  2: olderVersion(GroupManifest2, upcastGroup2),
});
export const StoredStageManifest = upcasting(StageManifest, { 1: olderVersion(StageManifest1, upcastStage) });
export const StoredIterationManifest = upcasting(IterationManifest, { 1: olderVersion(IterationManifest1, upcastIteration) });
export const StoredCampaignEnd = upcasting(CampaignEnd, { 1: olderVersion(CampaignEnd1, upcastEnd) });
