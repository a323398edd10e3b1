// Sums of what work cost.
import { type Meter, type Meters, Party } from "#contracts/meters.ts";

export const NOTHING_METERED: Meter = { calls: 0, promptTokens: 0, completionTokens: 0, usd: 0, gpuSeconds: 0 };
export const NO_METERS: Meters = { policy: NOTHING_METERED, user: NOTHING_METERED, proposer: NOTHING_METERED, trainer: NOTHING_METERED };

export function addMeters(left: Meters, right: Meters): Meters {
  return Object.fromEntries(Party.options.map((party) => [party, addMeter(left[party], right[party])])) as Meters;
}

export const sumMeters = (all: readonly Meters[]): Meters => all.reduce(addMeters, NO_METERS);

/** All parties together. */
export function totalMeter(meters: Meters): Meter {
  return Party.options.map((party) => meters[party]).reduce(addMeter, NOTHING_METERED);
}

function addMeter(left: Meter, right: Meter): Meter {
  return {
    calls: left.calls + right.calls,
    promptTokens: left.promptTokens + right.promptTokens,
    completionTokens: left.completionTokens + right.completionTokens,
    usd: left.usd + right.usd,
    gpuSeconds: left.gpuSeconds + right.gpuSeconds,
  };
}

/** As metrics of a stage: `<stage>/<party>_calls`, …, and `<stage>/usd`; parties that did nothing are left out. */
export function meterMetrics(stage: string, meters: Meters): Record<string, number> {
  const busy = Party.options.filter((party) => Object.values(meters[party]).some((amount) => amount !== 0));
  const entries = busy.flatMap((party) => {
    const { calls, promptTokens, completionTokens, usd, gpuSeconds } = meters[party];
    const named = { calls, prompt_tokens: promptTokens, completion_tokens: completionTokens, usd, gpu_seconds: gpuSeconds };
    return Object.entries(named).map(([name, value]) => [`${stage}/${party}_${name}`, value]);
  });
  return { ...Object.fromEntries(entries), [`${stage}/usd`]: totalMeter(meters).usd };
}
