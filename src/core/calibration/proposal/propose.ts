// Calibration by whatever rule the campaign names. For `llm-proposed` a model is asked first; what it says is judged like any other fit.
import type { CalibrationReport } from "#contracts/calibration-report.ts";
import type { TierScheme } from "#contracts/reward-table.ts";
import type { ProposalRecord, ProposerMessage } from "#contracts/table-proposal.ts";
import { CampaignError } from "../../errors.ts";
import type { LabelledRollout } from "../../reward/label-rollout.ts";
import { splitTable } from "../../reward/reward-table.ts";
import { chooseJudges, groupByTask } from "../buffer.ts";
import { type CalibrationInput, calibrate } from "../calibrate.ts";
import { proposalPrompt } from "./prompt.ts";
import { PROPOSED_SCHEME, type ReadProposal, readProposal } from "./read-proposal.ts";

/** Asks a model until `read` finds a usable answer or the attempts are used up. Throws CampaignError of the provider family. */
export type Proposer = (prompt: readonly ProposerMessage[], read: (answer: string) => ReadProposal) => Promise<ProposalRecord>;

/**
 * The report by the configured rule. `label` labels the same rollouts under another scheme: a proposal may split tiers, and the author's
 * table and the one in force are then carried over to them, so that all tables are judged on the same turns. Throws config.invalid without a proposer for
 * `llm-proposed`, and what `calibrate` throws.
 */
export async function calibrateByRule(
  input: CalibrationInput,
  label: (scheme: TierScheme) => readonly LabelledRollout[],
  proposer: Proposer | null,
): Promise<CalibrationReport> {
  if (input.config.rule !== "llm-proposed") return calibrate(input);
  if (proposer === null)
    throw new CampaignError("config.invalid", "the rule llm-proposed needs a model to ask", { next: "give calibration.proposer" });
  const tasks = groupByTask(input.rollouts);
  const isJudge = chooseJudges(tasks, input.config.holdout, input.seed);
  const fitting = tasks.filter((_, position) => isJudge[position] !== true);
  const proposal = await proposer(proposalPrompt(input, fitting), (answer) => readProposal(answer, input.scheme));
  const splits = proposal.proposal?.splits ?? [];
  if (splits.length === 0) return calibrate({ ...input, proposal });
  const authorTable = splitTable(input.authorTable, splits, PROPOSED_SCHEME);
  const inForceTable = splitTable(input.inForceTable, splits, PROPOSED_SCHEME);
  const { scheme } = inForceTable;
  return calibrate({ ...input, rollouts: label(scheme), authorTable, inForceTable, scheme, proposal });
}
