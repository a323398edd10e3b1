// What model calls cost, by party.
import type { Usage } from "#contracts/trajectory.ts";

/** USD per million tokens. */
export interface TokenPrice {
  readonly input: number;
  readonly output: number;
}
export const FREE: TokenPrice = { input: 0, output: 0 };

/** What one party was asked, what it wrote, and what that cost. */
export interface PartyMeter {
  readonly calls: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly usd: number;
}

/** USD. */
export function costOf(usage: { readonly promptTokens: number; readonly completionTokens: number }, price: TokenPrice): number {
  return (usage.promptTokens * price.input + usage.completionTokens * price.output) / 1e6;
}

/** The usage of rollouts, party by party. The policy runs on hardware that is paid by the hour, unless it has a price of its own. */
export function metersOf(
  usage: Usage,
  prices: { readonly user: TokenPrice; readonly policy?: TokenPrice },
): { readonly policy: PartyMeter; readonly user: PartyMeter } {
  const meter = (calls: number, promptTokens: number, completionTokens: number, price: TokenPrice): PartyMeter => ({
    calls,
    promptTokens,
    completionTokens,
    usd: costOf({ promptTokens, completionTokens }, price),
  });
  return {
    policy: meter(usage.modelCalls, usage.promptTokens, usage.completionTokens, prices.policy ?? FREE),
    user: meter(usage.simulatorCalls, usage.simulatorPromptTokens, usage.simulatorCompletionTokens, prices.user),
  };
}
