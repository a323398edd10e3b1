// What one reply of a user model costs and how long it is tried: waits while the endpoint is in trouble, asks anew when an answer was
// no good, and gives up with an account of it all.
import { CampaignError, type ErrorCode } from "#core/errors.ts";
import type { Clock, SimulatorOptions } from "#core/ports.ts";
import { deriveSeed, seedToInt } from "#core/rng.ts";
import { addTroubles, CUT_ANSWER, SimulatorFailure, type SimulatorTroubles, UNKNOWN_USAGE } from "#core/rollout/simulator-failure.ts";
import { startOf } from "#core/text.ts";
import { Meter } from "./complete.ts";

export interface ReplyLimits {
  /** Answers that are no good, the first one included, until a reply is given up. */
  readonly maxBadReplies: number;
  /** For one reply, with all its calls and waits. */
  readonly deadlineSeconds: number;
  /** For one call. */
  readonly timeoutSeconds: number;
}
export const DEFAULT_REPLY_LIMITS: ReplyLimits = { maxBadReplies: 3, deadlineSeconds: 300, timeoutSeconds: 120 };

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20_000;

/** What becomes of an endpoint's failure once waiting did not help. */
const GIVEN_UP: Partial<Record<ErrorCode, ErrorCode>> = {
  "provider.rate-limited": "simulator.rate-limited",
  "provider.timeout": "simulator.timeout",
  "provider.unavailable": "simulator.unavailable",
  "provider.invalid-response": "simulator.invalid-format",
};

export class ReplyRetries {
  readonly meter = new Meter();
  #troubles: SimulatorTroubles = {};
  /** Attempts that came to nothing so far. */
  numFailures = 0;
  readonly #limits: ReplyLimits;
  readonly #clock: Clock;
  readonly #seed: string;
  readonly #start: number;
  #numBadReplies = 0;
  #numWaits = 0;
  #numEarlyStops = 0;

  constructor(limits: ReplyLimits, clock: Clock, seed: string) {
    this.#limits = limits;
    this.#clock = clock;
    this.#seed = seed;
    this.#start = clock.now();
  }

  /** What went wrong so far, how many answers were cut, and how many came without a word on what they cost. */
  get troubles(): SimulatorTroubles {
    const { numUncounted, numCut } = this.meter;
    const ofAnswers = { [UNKNOWN_USAGE]: numUncounted, [CUT_ANSWER]: numCut };
    return addTroubles(this.#troubles, Object.fromEntries(Object.entries(ofAnswers).filter(([, count]) => count > 0)));
  }

  /** For the next call: never beyond the deadline. */
  callTimeoutSeconds(): number {
    return Math.max(0.001, Math.min(this.#limits.timeoutSeconds, this.#secondsLeft()));
  }

  /** The first time the user is asked once more (throws simulator.premature-stop); the second time the stop is kept and counted, or is an error. */
  judgeEarlyStop(content: string, setting: "flag" | "error"): void {
    this.#numEarlyStops += 1;
    const canAskAgain = this.#numEarlyStops === 1 && this.#secondsLeft() > 0;
    if (canAskAgain || setting === "error")
      throw new CampaignError(
        "simulator.premature-stop",
        `the user stopped before the last write: ${JSON.stringify(startOf(content, 120))}`,
      );
    this.#count("simulator.premature-stop");
  }

  /** Waits as long as this failure asks for. Throws SimulatorFailure when it is over. */
  async recover(error: CampaignError, { signal, onTrouble }: Pick<SimulatorOptions, "signal" | "onTrouble">): Promise<void> {
    this.#count(error.code);
    this.numFailures += 1;
    const wait = this.#waitAfter(error);
    if (wait === null) throw this.#giveUp(error);
    onTrouble?.(error);
    if (wait > 0) await this.#clock.sleep(wait, signal);
  }

  /** Milliseconds, or null when asking again cannot help or takes too long. */
  #waitAfter(error: CampaignError): number | null {
    if (!error.retryable || this.#numEarlyStops > 1) return null;
    if (error.code.startsWith("simulator.") || error.code === "provider.invalid-response") return this.#waitAfterBadReply(error);
    const wait = Math.max(this.#backoff(), (error.retryAfterSeconds ?? 0) * 1000);
    return wait < this.#secondsLeft() * 1000 ? wait : null;
  }

  #waitAfterBadReply({ code }: CampaignError): 0 | null {
    const isEarlyStop = code === "simulator.premature-stop" && this.#numEarlyStops === 1;
    if (!isEarlyStop) this.#numBadReplies += 1;
    return this.#numBadReplies < this.#limits.maxBadReplies && this.#secondsLeft() > 0 ? 0 : null;
  }

  /** Doubles with every wait, spread over half to one and a half by the seed, so that rollouts do not come back all at once. */
  #backoff(): number {
    const spread = 0.5 + seedToInt(deriveSeed(this.#seed, "wait", this.#numWaits)) / 2 ** 31;
    const wait = Math.min(FIRST_WAIT_MS * 2 ** this.#numWaits, LONGEST_WAIT_MS) * spread;
    this.#numWaits += 1;
    return wait;
  }

  #giveUp(error: CampaignError): SimulatorFailure {
    const { usage } = this.meter;
    const tried = this.numFailures === 1 ? "" : `gave up after ${this.numFailures} attempts; the last: `;
    return new SimulatorFailure(GIVEN_UP[error.code] ?? error.code, `${tried}${error.message}`, {
      cause: error,
      usage,
      troubles: this.troubles,
      ...(error.next === null ? {} : { next: error.next }),
    });
  }

  #count(code: ErrorCode): void {
    this.#troubles = addTroubles(this.#troubles, { [code]: 1 });
  }

  #secondsLeft(): number {
    return this.#limits.deadlineSeconds - (this.#clock.now() - this.#start) / 1000;
  }
}
