// Every part's version, place and state, and a remedy for each problem.
import { diagnose } from "#adapters/services/diagnose.ts";
import type { Finding } from "#adapters/services/finding.ts";
import { readSettings, shellVariables } from "../settings.ts";

export type { Finding } from "#adapters/services/finding.ts";

export async function diagnoseHere(): Promise<Finding[]> {
  return diagnose(readSettings(), shellVariables());
}
