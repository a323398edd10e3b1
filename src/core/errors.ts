/** Every expected failure and whether trying again can help. One table: codes, types and retry policy agree. */
const RETRYABLE = {
  "config.invalid": false,
  "config.file-missing": false,
  "config.unreachable": false,
  "contract.invalid": false,
  "provider.unavailable": true,
  "provider.rate-limited": true,
  "provider.timeout": true,
  "provider.rejected": false,
  "provider.unauthorized": false,
  "provider.invalid-response": true,
  "provider.context-overflow": false,
  "provider.model-missing": true,
  "provider.wrong-weights": false,
  "simulator.empty-reply": true,
  "simulator.refusal": true,
  "simulator.role-confusion": true,
  "simulator.premature-stop": true,
  "simulator.invalid-format": true,
  "simulator.rate-limited": true,
  "simulator.timeout": true,
  "simulator.unavailable": true,
  "simulator.failed": false,
  "environment.data-missing": false,
  "environment.data-corrupt": false,
  "environment.data-changed": false,
  "environment.replay-mismatch": false,
  "environment.failed": false,
  "environment.timeout": true,
  "environment.unavailable": true,
  "reward.group-too-small": false,
  "reward.non-finite": false,
  "reward.table-mismatch": false,
  "rollout.incomplete-group": true,
  "trainer.invalid-job": false,
  "trainer.disk-full": false,
  "trainer.crashed": true,
  "trainer.stalled": true,
  "trainer.diverged": false,
  "store.conflict": false,
  "store.missing": false,
  "store.dropped": false,
  "store.corrupt": false,
  "store.unavailable": true,
  "tracking.unavailable": true,
  "tracking.rejected": false,
  "service.port-taken": false,
  "service.not-running": false,
  "service.start-failed": false,
  "service.no-worker": false,
  "campaign.unknown": false,
  "campaign.not-waiting": false,
  "campaign.already-answered": false,
  "campaign.iteration-failed": false,
  "campaign.ended": false,
  "campaign.not-running": false,
  "query.invalid": false,
} as const;

export type ErrorCode = keyof typeof RETRYABLE;
export const ERROR_CODES = Object.keys(RETRYABLE) as readonly ErrorCode[];

export interface ErrorDetails extends ErrorOptions {
  /** What a person should do next: one command or one sentence. */
  readonly next?: string;
  /** How long a rate-limiting server asked to be left alone. */
  readonly retryAfterSeconds?: number;
  /** Tries after which it is no accident any more, where that is sooner than for an outage: a program that ends by itself whenever it starts. */
  readonly maxTries?: number | undefined;
}

/** Tries of what is most likely no accident: once more and once again, in case it was. */
export const FEW_TRIES = 3;

/** An expected failure, named after the boundary it crossed. Match on `code`: it survives serialization, the class does not. */
export class CampaignError extends Error {
  override readonly name = "CampaignError";
  readonly code: ErrorCode;
  readonly next: string | null;
  readonly retryAfterSeconds: number | null;
  readonly maxTries: number | null;

  constructor(code: ErrorCode, message: string, details?: ErrorDetails) {
    super(message, details);
    this.code = code;
    this.next = details?.next ?? null;
    this.retryAfterSeconds = details?.retryAfterSeconds ?? null;
    this.maxTries = details?.maxTries ?? null;
  }

  /** Whether the very same request may succeed later: never when anything that caused this error cannot be cured by trying again. */
  get retryable(): boolean {
    return RETRYABLE[this.code] && isCurable(this.cause);
  }
}

function isCurable(cause: unknown): boolean {
  if (cause instanceof CampaignError) return cause.retryable;
  return cause instanceof Error ? isCurable(cause.cause) : true;
}
