// Makes sure that a local stack runs before a command needs one, and says so when it has to start it.
import { readStack, type Stack, startStack } from "#adapters/services/stack.ts";
import { readSettings, type Settings } from "#adapters/settings.ts";
import { printLine, style } from "../output.ts";

/** Settings of the stack that runs; of a remote one when its address is given; else of one that is started now and stays until `turnwise down`. */
export async function ensureServices(): Promise<Settings> {
  if (process.env["TURNWISE_TEMPORAL_ADDRESS"] !== undefined) return readSettings();
  const { home } = readSettings();
  const running = readStack(home);
  if (running !== null) return settingsOf(running);
  printLine(style.dim("starting the local services; `turnwise down` stops them"));
  return settingsOf(await startStack({ home }));
}

/** Settings by which this process finds a stack. */
export function settingsOf({ environment }: Stack): Settings {
  return readSettings({ ...process.env, ...environment });
}

/** Settings of the stack that runs here, or of whatever the environment names. */
export function currentSettings(): Settings {
  const settings = readSettings();
  if (process.env["TURNWISE_TEMPORAL_ADDRESS"] !== undefined) return settings;
  const running = readStack(settings.home);
  return running === null ? settings : settingsOf(running);
}
