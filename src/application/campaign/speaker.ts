// Who speaks to a campaign: the account and the machine that the command runs on.
import { hostname, userInfo } from "node:os";
import { LONGEST_REASON } from "#contracts/steering.ts";
import { CampaignError } from "#core/errors.ts";
import type { Speaker } from "../../../workflows/messages.ts";

/** Throws config.invalid for a reason that is too long to travel. */
export function speaker(why: string): Speaker {
  if (why.length > LONGEST_REASON)
    throw new CampaignError("config.invalid", `a reason of ${why.length} characters is too long: ${LONGEST_REASON} is the most`);
  return { who: `${accountName()}@${hostname()}`, why };
}

/** An account may have no name, as in a container that runs under a bare number. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
}
