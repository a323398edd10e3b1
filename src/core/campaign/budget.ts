// Whether a campaign may still begin work: its budget against its meters.

import type { BudgetConfig } from "#contracts/campaign-config.ts";
import type { Meters } from "#contracts/meters.ts";
import { formatNumber, formatUsd } from "../format.ts";
import { totalMeter } from "./meters.ts";

/** What is used up, in words; null while everything is below its limit. Hours are running time, pauses left out. */
export function reachedBudget(
  { maxModelCalls, maxUsd, maxHours }: BudgetConfig,
  spent: { readonly meters: Meters; readonly runningSeconds: number },
): string | null {
  const { calls, usd } = totalMeter(spent.meters);
  const hours = spent.runningSeconds / 3600;
  if (maxModelCalls !== undefined && calls >= maxModelCalls) return `${calls} model calls reached the budget of ${maxModelCalls}`;
  if (maxUsd !== undefined && usd >= maxUsd) return `${formatUsd(usd)} USD reached the budget of ${maxUsd}`;
  if (maxHours !== undefined && hours >= maxHours) return `${formatNumber(hours, 3)} hours of running reached the budget of ${maxHours}`;
  return null;
}
