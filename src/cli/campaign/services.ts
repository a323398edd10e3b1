// Makes sure that a stack runs before a command needs one, and says so when it has to start it.
import { readStack, startStack } from "#adapters/services/stack.ts";
import { readSettings, type Settings } from "#adapters/settings.ts";
import { sayIgnored } from "../ignored-variables.ts";
import { printLine } from "../output.ts";
import { style } from "../style.ts";

/** Settings of the stack that runs; of a remote one when its address is given; else of a local one, started now, that stays until `turnwise down`. */
export async function ensureServices(): Promise<Settings> {
  const { home, isTemporalGiven } = readSettings();
  if (!isTemporalGiven && readStack(home) === null) {
    printLine(style.dim("starting the local services; `turnwise down` stops them"));
    sayIgnored();
    await startStack({ home });
  }
  return readSettings();
}
