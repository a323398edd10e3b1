// A model's answer becomes a proposal, or one line that says what is wrong with it.
import { z } from "zod";
import type { TierScheme } from "#contracts/reward-table.ts";
import { TableProposal } from "#contracts/table-proposal.ts";
import { CampaignError } from "../../errors.ts";
import { extendScheme, tierScheme } from "../../reward/tiers.ts";

/** Name of the scheme that a model's first splits make of a built-in one. */
export const PROPOSED_SCHEME = "proposed";

export type ReadProposal =
  | { readonly proposal: TableProposal; readonly problem: null }
  | { readonly proposal: null; readonly problem: string };

/** Accepts JSON with or without a Markdown fence around it. Every tier that a value names must exist, splits included, and only once. */
export function readProposal(answer: string, scheme: TierScheme): ReadProposal {
  const refused = (problem: string): ReadProposal => ({ proposal: null, problem });
  const value = parseJson(answer.replace(/^\s*```(?:json)?\s*|\s*```\s*$/g, ""));
  if (value === undefined) return refused("it is not a JSON object");
  const parsed = TableProposal.safeParse(value);
  if (!parsed.success) return refused(z.prettifyError(parsed.error));
  const { splits, values } = parsed.data;
  try {
    const { tiers } = tierScheme(extendScheme(scheme, splits, PROPOSED_SCHEME));
    const unknown = values.find(({ tier }) => !tiers.includes(tier));
    if (unknown !== undefined) return refused(`there is no tier ${unknown.tier}; there are ${tiers.join(", ")}`);
  } catch (error) {
    if (error instanceof CampaignError) return refused(error.message);
    throw error;
  }
  const twice = values.find(({ tier }, position) => values.findIndex((other) => other.tier === tier) !== position);
  return twice === undefined ? { proposal: parsed.data, problem: null } : refused(`tier ${twice.tier} has two values`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
