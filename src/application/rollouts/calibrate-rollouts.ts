// The whole analysis on rollouts that are already there. No server; a key only where a model proposes the table.
import { openProposer } from "#adapters/proposer/ask-model.ts";
import type { CalibrationsByPolicy } from "#contracts/by-policy.ts";
import type { CalibrationReport } from "#contracts/calibration-report.ts";
import type { CalibrationConfig } from "#contracts/campaign-config.ts";
import { calibrateByRule } from "#core/calibration/proposal/propose.ts";
import { shellVariables } from "../settings.ts";
import { type LabelledPart, type LabelledRequest, readLabelledFiles } from "./labelled-files.ts";

export interface CalibrateRequest extends LabelledRequest {
  readonly config: CalibrationConfig;
  /** Of the split and the bootstrap. */
  readonly seed: string;
}

/** `onNote`: what the model that proposes is sent otherwise than it was set. */
export type OnNote = (note: string) => void;

/** Of all rollouts together. Throws what reading, labelling and proposing throw. */
export async function calibrateRollouts(files: readonly string[], request: CalibrateRequest, onNote: OnNote): Promise<CalibrationReport> {
  const calibrated = calibratorOf(request, onNote);
  return calibrated(await readLabelledFiles(files, request));
}

/** Of each policy, as if its rollouts alone had been given. */
export async function calibrateByPolicy(
  files: readonly string[],
  request: CalibrateRequest,
  onNote: OnNote,
): Promise<CalibrationsByPolicy> {
  const calibrated = calibratorOf(request, onNote);
  const labelled = await readLabelledFiles(files, request);
  const reports: [string, CalibrationReport][] = [];
  for (const [name, part] of labelled.byPolicy()) reports.push([name, await calibrated(part)]);
  return { schemaVersion: 1, by: "policy", reading: labelled.reading, policies: Object.fromEntries(reports) };
}

/** Throws provider.unauthorized for a key that is named and not there. */
function calibratorOf({ config, seed }: CalibrateRequest, onNote: OnNote): (part: LabelledPart) => Promise<CalibrationReport> {
  const proposer =
    config.proposer === undefined ? null : openProposer(config.proposer, shellVariables(), new AbortController().signal, onNote);
  return (part) => calibrateByRule(inputOf(part, config, seed), part.label, proposer);
}

function inputOf({ rollouts, reading, scheme, table, advantage, bufferSha256 }: LabelledPart, config: CalibrationConfig, seed: string) {
  return { rollouts, reading, scheme, authorTable: table, inForceTable: table, config, advantage, seed, iteration: 0, bufferSha256 };
}
