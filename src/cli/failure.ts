// How a failure looks to a person and to a program, and the exit code that goes with it.
import { CampaignError, type ErrorCode } from "#core/errors.ts";
import { plainLines } from "#core/text.ts";
import { errorStyle } from "./style.ts";

/** Documented in the README: 0 done, 1 a bug, 2 the caller's input, 3 a service or endpoint, 4 the record or a file, 5 set-up missing or failed (infra/setup), 64 wrong usage, 130 interrupted. */
const EXIT_CODES: Readonly<Record<string, number>> = {
  config: 2,
  contract: 2,
  query: 2,
  campaign: 2,
  reward: 2,
  provider: 3,
  simulator: 3,
  service: 3,
  trainer: 3,
  tracking: 3,
  rollout: 3,
  store: 4,
  environment: 4,
};

export function exitCodeOf(error: unknown): number {
  return error instanceof CampaignError ? (EXIT_CODES[familyOf(error.code)] ?? 1) : 1;
}

function familyOf(code: ErrorCode): string {
  return code.slice(0, code.indexOf("."));
}

export function printFailure(error: unknown, isJson: boolean): void {
  if (!(error instanceof CampaignError)) {
    console.error(`${errorStyle.red("internal error")} this is a bug in Turnwise`);
    console.error(error);
    return;
  }
  const { code, message, next } = error;
  if (isJson) console.error(JSON.stringify({ error: { code, message, next } }));
  else {
    console.error(plainLines(`${errorStyle.red(code)} ${message}`));
    if (next !== null) console.error(plainLines(`  ${errorStyle.dim("next:")} ${next}`));
  }
}
