// An audit's look at its user's endpoint: what is wrong is said when it happens, and an endpoint that has never answered is given up soon.
import { CampaignError, type ErrorCode } from "#core/errors.ts";
import type { UserSimulator } from "#core/ports.ts";
import { plainText } from "../output.ts";
import { errorStyle } from "../style.ts";

/** Of an endpoint that has not answered once: far less than a user who did answer is waited for. */
const PATIENCE_MILLISECONDS = 10_000;
const MAX_TOLD = 5;
/** What a server says that is not there, or not yet. One that limits its rate is there. */
const ABSENT: ReadonlySet<ErrorCode> = new Set(["provider.unavailable", "provider.timeout"]);

export interface EndpointWatch {
  /** The simulator, looked at. */
  readonly simulator: UserSimulator;
  /** Aborted, with the endpoint's own words, once it is given up. */
  readonly signal: AbortSignal;
  /** What the endpoint is sent otherwise than it was set. */
  readonly notes: readonly string[];
  onNote(note: string): void;
  onTrouble(trouble: Error): void;
}

export function createEndpointWatch(simulator: UserSimulator): EndpointWatch {
  const stop = new AbortController();
  const notes: string[] = [];
  const told = new Set<string>();
  const startedAt = performance.now();
  let hasAnswered = false;
  const tell = (message: string): void => {
    if (told.size >= MAX_TOLD || told.has(message)) return;
    told.add(message);
    console.error(`${process.stderr.isTTY ? "\r\u001b[K" : ""}${errorStyle.dim(plainText(message))}`);
  };
  return {
    simulator: {
      ...simulator,
      async reply(...asked) {
        const reply = await simulator.reply(...asked);
        hasAnswered = true;
        return reply;
      },
    },
    signal: stop.signal,
    notes,
    onNote(note) {
      notes.push(note);
      tell(note);
    },
    onTrouble(trouble) {
      tell(trouble.message);
      const isAbsent = trouble instanceof CampaignError && ABSENT.has(trouble.code);
      if (isAbsent && !hasAnswered && performance.now() - startedAt > PATIENCE_MILLISECONDS) stop.abort(givenUp(trouble));
    },
  };
}

const givenUp = (trouble: CampaignError): CampaignError =>
  new CampaignError(trouble.code, `nothing was measured: the user's endpoint has not answered once; the last: ${trouble.message}`, {
    cause: trouble,
    next: trouble.next ?? "mend the endpoint, or take another model",
  });
