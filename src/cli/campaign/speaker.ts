// Who speaks to a campaign: the account and the machine that the command runs on.
import { hostname, userInfo } from "node:os";
import type { Speaker } from "../../../workflows/messages.ts";

export function speaker(why: string): Speaker {
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
