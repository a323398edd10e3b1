// Makes sure that a stack runs before a use-case needs one.
import { readStack, startStack } from "#adapters/services/stack.ts";
import { readSettings, type Settings } from "../settings.ts";

/**
 * Settings of the stack that runs; of a remote one when its address is given; else of a local one, started now, that stays until it is stopped.
 * `onStarting` is called before anything starts. Throws what starting a stack throws.
 */
export async function ensureServices(onStarting: () => void): Promise<Settings> {
  const { home, isTemporalGiven } = readSettings();
  if (!isTemporalGiven && readStack(home) === null) {
    onStarting();
    await startStack({ home });
  }
  return readSettings();
}
