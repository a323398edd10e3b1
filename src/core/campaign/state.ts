// The state of a campaign as a fold: over the iterations that are committed and over the words that were said. The workflow makes it step
// by step; the record gives the same one when Temporal's database is lost.
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import type { CampaignSettings, CampaignState, PauseReason, Steering } from "#contracts/campaign-status.ts";
import type { CampaignManifest, IterationManifest } from "#contracts/manifests.ts";
import type { SteeringWord } from "#contracts/steering.ts";
import { NO_METERS } from "./meters.ts";
import { advanceProgress, initialProgress } from "./progress.ts";

export function settingsOf(config: CampaignConfig): CampaignSettings {
  return {
    maxIterations: config.stop.maxIterations,
    targetPassRate: config.stop.targetPassRate ?? null,
    concurrentGroups: config.rollout.concurrentGroups,
    isApproving: config.calibration.mode === "approve",
    hasSelection: config.selection !== null,
    hasTest: config.test !== null,
    guards: config.guards,
  };
}

export function initialState(manifest: Pick<CampaignManifest, "basePolicy" | "priorTable" | "config">): CampaignState {
  return {
    progress: initialProgress(manifest),
    steering: { numWords: 0, pause: null, stop: null, budget: manifest.config.budget, raisedGuards: [], acknowledged: [], answers: {} },
    runningSeconds: 0,
  };
}

/** After an iteration: what was acknowledged in it is over. */
export function advanceState(state: CampaignState, manifest: IterationManifest): CampaignState {
  const progress = advanceProgress(state.progress, manifest);
  const acknowledged = state.steering.acknowledged.filter(({ iteration }) => iteration >= progress.nextIteration);
  return { ...state, progress, steering: { ...state.steering, acknowledged } };
}

/** After a word that the record holds. */
export function applyWord(state: CampaignState, word: SteeringWord): CampaignState {
  return { ...state, steering: steer({ ...state.steering, numWords: word.number }, word) };
}

/**
 * The state that the record speaks of: words take effect in the iteration in which they were said. Running time is that of the committed
 * iterations, since an unfinished one leaves none. A fork has its parent's progress, but its budget counts what it spent itself: calls, USD
 * and hours of iterations that it shares are the parent's.
 */
export function rebuildState(
  manifest: Pick<CampaignManifest, "id" | "basePolicy" | "priorTable" | "config">,
  iterations: readonly IterationManifest[],
  words: readonly SteeringWord[],
): CampaignState {
  let state = initialState(manifest);
  const waiting = [...words];
  const hear = (upTo: number) => {
    while (waiting[0] !== undefined && waiting[0].iteration <= upTo) state = applyWord(state, waiting.shift() as SteeringWord);
  };
  for (const iteration of iterations) {
    const isShared = iteration.campaignId !== manifest.id;
    hear(iteration.iteration);
    state = advanceState(state, isShared ? { ...iteration, meters: NO_METERS, runningSeconds: 0 } : iteration);
  }
  hear(Number.POSITIVE_INFINITY);
  return { ...state, runningSeconds: state.progress.runningSeconds };
}

/** Whether nothing new may begin. An end that opens no test has nothing to begin: no pause holds it. */
export function isHeld({ pause, stop }: Steering): boolean {
  return pause !== null && (stop === null || stop.withTest);
}

function steer(steering: Steering, word: SteeringWord): Steering {
  switch (word.word) {
    case "pause":
      return {
        ...steering,
        pause: pauseReason(word),
        raisedGuards: word.by === "guard" ? [...new Set([...steering.raisedGuards, word.who])] : steering.raisedGuards,
      };
    case "resume":
      return {
        ...steering,
        pause: null,
        raisedGuards: [],
        acknowledged: [
          ...steering.acknowledged,
          // A budget is raised, not acknowledged.
          ...steering.raisedGuards.filter((code) => code !== "guard.budget").map((code) => ({ code, iteration: word.iteration })),
        ],
      };
    case "stop":
      // Who wants the end does not want the pause.
      return { ...steering, stop: { reason: word.why, withTest: word.withTest }, pause: null, raisedGuards: [] };
    case "budget":
      return {
        ...steering,
        budget: { ...steering.budget, ...word.budget },
        pause: steering.pause?.code === "guard.budget" ? null : steering.pause,
        raisedGuards: steering.raisedGuards.filter((code) => code !== "guard.budget"),
      };
    case "approve":
    case "reject":
      if (steering.answers[word.table] !== undefined) return steering;
      return { ...steering, answers: { ...steering.answers, [word.table]: { word: word.word, who: word.who } } };
  }
}

/** Why a campaign is paused, as it says it: code, message and the command that lets it go on. */
function pauseReason({ campaignId, by, who, why }: SteeringWord): PauseReason {
  if (by === "person") {
    const message = why === "" ? `paused by ${who}` : `paused by ${who}: ${why}`;
    return { code: "campaign.paused-by-user", message, next: `turnwise campaign resume ${campaignId}` };
  }
  if (who === "guard.budget")
    return { code: who, message: why, next: `turnwise campaign budget ${campaignId} --max-usd … | --max-calls … | --max-hours …` };
  return { code: who, message: why, next: `turnwise campaign resume ${campaignId}` };
}
