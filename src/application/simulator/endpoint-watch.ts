// An audit's look at its user's endpoint: what is wrong is said when it happens and again while it lasts, and an endpoint that does not
// answer is given up after a timeout that docs/simulators.md tells.
import { CampaignError, type ErrorCode } from "#core/errors.ts";
import type { UserSimulator } from "#core/ports.ts";

/** Seconds without any answer until an endpoint is given up. */
const TIMEOUT_SECONDS = {
  /** That has never answered, and is not there or not yet. */
  absent: 10,
  /** That has never answered, and says that it limits its rate: it is there. Cooldowns of a minute are common. */
  limited: 90,
  /** That did answer. Each reply is given up before, and the audit goes on with the next. */
  lost: 600,
} as const;
const LOOK_EVERY_SECONDS = 5;
const REPEAT_AFTER_SECONDS = 15;
const MAX_REPORTED = 5;
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

interface EndpointHealth {
  lastAnswerAt: number;
  lastReportAt: number;
  numAnswers: number;
  /** Replies that are being waited for. */
  numAwaited: number;
  /** The last failure since the last answer of those that are waited for. */
  trouble: CampaignError | null;
}

/** `report` writes one line for whoever looks on. */
export function createEndpointWatch(simulator: UserSimulator, report: (line: string) => void): EndpointWatch {
  const stop = new AbortController();
  const notes: string[] = [];
  const reported = new Set<string>();
  const health: EndpointHealth = { lastAnswerAt: now(), lastReportAt: now(), numAnswers: 0, numAwaited: 0, trouble: null };
  const reportOnce = (message: string): void => {
    if (reported.size >= MAX_REPORTED || reported.has(message)) return;
    reported.add(message);
    health.lastReportAt = now();
    report(message);
  };
  const timer = setInterval(() => look(health, stop, report), LOOK_EVERY_SECONDS * 1000);
  return {
    simulator: {
      ...simulator,
      async reply(...asked) {
        health.numAwaited += 1;
        try {
          const reply = await simulator.reply(...asked);
          Object.assign(health, { lastAnswerAt: now(), numAnswers: health.numAnswers + 1, trouble: null });
          return reply;
        } finally {
          health.numAwaited -= 1;
        }
      },
    },
    signal: stop.signal,
    notes,
    onNote(note) {
      notes.push(note);
      reportOnce(note);
    },
    onTrouble(trouble) {
      reportOnce(trouble.message);
      if (trouble instanceof CampaignError && IN_WAY.has(trouble.code)) health.trouble = trouble;
    },
    close: () => clearInterval(timer),
  };
}

function look(health: EndpointHealth, stop: AbortController, report: (line: string) => void): void {
  const { trouble, lastAnswerAt, lastReportAt, numAwaited } = health;
  if (numAwaited === 0 || stop.signal.aborted) return;
  const silence = now() - lastAnswerAt;
  const timeout = trouble === null ? Number.POSITIVE_INFINITY : timeoutOf(trouble, health);
  if (trouble !== null && silence >= timeout) {
    stop.abort(givenUp(trouble, health, silence));
    return;
  }
  if (silence < REPEAT_AFTER_SECONDS || now() - lastReportAt < REPEAT_AFTER_SECONDS) return;
  health.lastReportAt = now();
  const why = trouble === null ? "" : `, and is waited for up to ${timeout} s; the last: ${trouble.message}`;
  report(`the user's endpoint has not answered for ${Math.round(silence)} s${why}`);
}

/** Seconds. */
function timeoutOf({ code }: CampaignError, { numAnswers }: EndpointHealth): number {
  if (numAnswers > 0) return TIMEOUT_SECONDS.lost;
  return ABSENT.has(code) ? TIMEOUT_SECONDS.absent : TIMEOUT_SECONDS.limited;
}

function givenUp(trouble: CampaignError, { numAnswers }: EndpointHealth, silence: number): CampaignError {
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
