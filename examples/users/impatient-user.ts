// An impatient user: any other user, who hangs up when the conversation takes too long.
import { hashJson } from "#core/canonical-json.ts";
import type { UserSimulator } from "#core/ports.ts";
import { randomFrom } from "#core/random-source.ts";
import { STOP_TOKEN } from "#core/rollout/ending.ts";

export interface ImpatientUserOptions {
  /** Whose words these are while patience lasts. */
  readonly user: UserSimulator;
  /** Messages of the agent that are always answered. */
  readonly patience: number;
  /** Of hanging up at each message after these. */
  readonly chance: number;
}

/** Raise it when the behaviour changes: rollouts of different versions are not comparable. */
const VERSION = "impatient/1";
const NO_USAGE = { promptTokens: 0, completionTokens: 0, calls: 0 };

/** Keeps nothing between two replies: whether it hangs up follows from the view and the reply's own seed. Throws what the user throws. */
export function impatientUser({ user, patience, chance }: ImpatientUserOptions): UserSimulator {
  return {
    id: `${VERSION}:${user.id}`,
    hash: hashJson({ version: VERSION, patience, chance, user: user.hash }),
    async reply(task, view, options) {
      const isLate = view.exchanges.length > patience;
      if (isLate && randomFrom(options.seed, "patience").chance(chance))
        return { content: `This is taking too long, I have to go. ${STOP_TOKEN}`, usage: NO_USAGE };
      return await user.reply(task, view, options);
    },
  };
}
