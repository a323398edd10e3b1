// An audit's look at its user's endpoint: what is wrong is said when it happens and again while it lasts, and an endpoint that does not
// answer is given up after a patience that docs/simulators.md tells.
import { CampaignError, type ErrorCode } from "#core/errors.ts";
import type { UserSimulator } from "#core/ports.ts";

/** Seconds without any answer until an endpoint is given up. */
const PATIENCE = {
  /** That has never answered, and is not there or not yet. */
  absent: 10,
  /** That has never answered, and says that it limits its rate: it is there. Cooldowns of a minute are common. */
  limited: 90,
  /** That did answer. Each reply is given up before, and the audit goes on with the next. */
  lost: 600,
} as const;
const LOOK_EVERY_SECONDS = 5;
const REPEAT_AFTER_SECONDS = 15;
const MAX_TOLD = 5;
const ABSENT: ReadonlySet<ErrorCode> = new Set(["provider.unavailable", "provider.timeout"]);
const IN_WAY: ReadonlySet<ErrorCode> = new Set([...ABSENT, "provider.rate-limited"]);

export interface EndpointWatch {
  /** The simulator, looked at. */
  readonly simulator: UserSimulator;
  /** Aborted, with the endpoint's own words, once it is given up. */
  readonly signal: AbortSignal;
  /** What the endpoint is sent otherwise than it was set. */
  readonly notes: readonly string[];
  onNote(note: string): void;
  onTrouble(trouble: Error): void;
  /** Ends it; to be called once nothing is asked any more. */
  close(): void;
}

interface Standing {
  lastAnswerAt: number;
  lastToldAt: number;
  numAnswers: number;
  /** Replies that are being waited for. */
  numAwaited: number;
  /** The last failure since the last answer of those that are waited for. */
  trouble: CampaignError | null;
}

/** `tell` writes one line for whoever looks on. */
export function createEndpointWatch(simulator: UserSimulator, tell: (line: string) => void): EndpointWatch {
  const stop = new AbortController();
  const notes: string[] = [];
  const told = new Set<string>();
  const standing: Standing = { lastAnswerAt: now(), lastToldAt: now(), numAnswers: 0, numAwaited: 0, trouble: null };
  const tellOnce = (message: string): void => {
    if (told.size >= MAX_TOLD || told.has(message)) return;
    told.add(message);
    standing.lastToldAt = now();
    tell(message);
  };
  const timer = setInterval(() => look(standing, stop, tell), LOOK_EVERY_SECONDS * 1000);
  return {
    simulator: {
      ...simulator,
      async reply(...asked) {
        standing.numAwaited += 1;
        try {
          const reply = await simulator.reply(...asked);
          Object.assign(standing, { lastAnswerAt: now(), numAnswers: standing.numAnswers + 1, trouble: null });
          return reply;
        } finally {
          standing.numAwaited -= 1;
        }
      },
    },
    signal: stop.signal,
    notes,
    onNote(note) {
      notes.push(note);
      tellOnce(note);
    },
    onTrouble(trouble) {
      tellOnce(trouble.message);
      if (trouble instanceof CampaignError && IN_WAY.has(trouble.code)) standing.trouble = trouble;
    },
    close: () => clearInterval(timer),
  };
}

function look(standing: Standing, stop: AbortController, tell: (line: string) => void): void {
  const { trouble, lastAnswerAt, lastToldAt, numAwaited } = standing;
  if (numAwaited === 0 || stop.signal.aborted) return;
  const silence = now() - lastAnswerAt;
  const patience = trouble === null ? Number.POSITIVE_INFINITY : patienceWith(trouble, standing);
  if (trouble !== null && silence >= patience) {
    stop.abort(givenUp(trouble, standing, silence));
    return;
  }
  if (silence < REPEAT_AFTER_SECONDS || now() - lastToldAt < REPEAT_AFTER_SECONDS) return;
  standing.lastToldAt = now();
  const why = trouble === null ? "" : `, and is waited for up to ${patience} s; the last: ${trouble.message}`;
  tell(`the user's endpoint has not answered for ${Math.round(silence)} s${why}`);
}

/** Seconds. */
function patienceWith({ code }: CampaignError, { numAnswers }: Standing): number {
  if (numAnswers > 0) return PATIENCE.lost;
  return ABSENT.has(code) ? PATIENCE.absent : PATIENCE.limited;
}

function givenUp(trouble: CampaignError, { numAnswers }: Standing, silence: number): CampaignError {
  const what =
    numAnswers === 0
      ? "nothing was measured: the user's endpoint has not answered once"
      : `the user's endpoint answered ${numAnswers} times, and not any more for ${Math.round(silence)} s`;
  return new CampaignError(trouble.code, `${what}; the last: ${trouble.message}`, {
    cause: trouble,
    next: trouble.next ?? "mend the endpoint, or take another model",
  });
}

/** Seconds. */
const now = (): number => performance.now() / 1000;
