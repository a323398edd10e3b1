// A user simulator that gave up, with what it cost and what went wrong on the way: both belong to the rollout, also when it fails.
import { CampaignError, type ErrorCode, type ErrorDetails } from "../errors.ts";
import type { ModelUsage } from "../ports.ts";

/** How often each thing went wrong with the simulated user, by error code, e.g. { "simulator.empty-reply": 2 }. */
export type SimulatorTroubles = Readonly<Record<string, number>>;

/** Answers of the user's model whose server does not say how many tokens they cost: they are metered as none. */
export const UNKNOWN_USAGE = "provider.unknown-usage";

/** Answers of the user's model that its limit of tokens ended: what was said until then is taken as the whole. */
export const CUT_ANSWER = "simulator.cut-answer";

/** What a stop before the last golden write is counted as, whether the user was asked again or not. */
export const PREMATURE_STOP = "simulator.premature-stop" satisfies ErrorCode;

export class SimulatorFailure extends CampaignError {
  readonly usage: ModelUsage;
  readonly troubles: SimulatorTroubles;

  constructor(
    code: ErrorCode,
    message: string,
    details: ErrorDetails & { readonly usage: ModelUsage; readonly troubles: SimulatorTroubles },
  ) {
    super(code, message, details);
    this.usage = details.usage;
    this.troubles = details.troubles;
  }
}

/** Both counted together. */
export function addTroubles(a: SimulatorTroubles = {}, b: SimulatorTroubles = {}): SimulatorTroubles {
  const sum: Record<string, number> = { ...a };
  for (const [code, count] of Object.entries(b)) sum[code] = (sum[code] ?? 0) + count;
  return sum;
}
