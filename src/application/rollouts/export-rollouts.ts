// Rollouts as a result file of a benchmark, or as JSONL.
import { exportJsonl } from "#adapters/rollout-files/export-jsonl.ts";
import { type ExportContext, exportTauBench } from "#adapters/rollout-files/export-tau-bench.ts";
import { exportTau2 } from "#adapters/rollout-files/export-tau2.ts";
import type { ImportedRollout } from "#adapters/rollout-files/imported-rollouts.ts";
import type { RolloutReading } from "#contracts/rollout-reading.ts";
import type { ToldTask } from "#contracts/task.ts";
import type { Environment } from "#core/environment/environment.ts";
import { DatabaseState } from "#environments/tau/database.ts";
import { tauHash } from "#environments/tau/database-hash.ts";
import { dumpsIndented } from "#environments/tau/python/indented.ts";
import { writeText } from "../write-text.ts";
import { type RolloutSourceRequest, readRolloutSource } from "./rollout-source.ts";

type WriteRollouts = (rollouts: readonly ImportedRollout[], context: ExportContext) => string;
const indented =
  (write: typeof exportTauBench): WriteRollouts =>
  (rollouts, context) =>
    `${dumpsIndented(write(rollouts, context))}\n`;
const FORMATS = { "tau-bench": indented(exportTauBench), tau2: indented(exportTau2), jsonl: exportJsonl } as const;

export type RolloutFormat = keyof typeof FORMATS;
export const ROLLOUT_FORMATS = Object.keys(FORMATS) as readonly RolloutFormat[];

export interface ExportRequest extends RolloutSourceRequest {
  readonly format: RolloutFormat;
  /** The file to write. */
  readonly out: string;
}

export interface ExportReport {
  readonly file: string;
  readonly format: RolloutFormat;
  readonly rollouts: number;
  readonly tasks: number;
  readonly reading: RolloutReading;
}

/** Throws what reading throws, and config.invalid when the file cannot be written. */
export async function exportRollouts(files: readonly string[], { format, out, ...request }: ExportRequest): Promise<ExportReport> {
  const { rollouts, reading, environment } = await readRolloutSource(files, request);
  await writeText(out, FORMATS[format](rollouts, exportContext(environment)), "--out");
  return { file: out, format, rollouts: rollouts.length, tasks: new Set(rollouts.map(({ task }) => task.id)).size, reading };
}

function exportContext(environment: Environment | null): ExportContext {
  return {
    systemPrompt: environment?.systemPrompt ?? null,
    tools: environment?.tools,
    goldenHash: (task) => (environment === null ? null : goldenHash(environment, task)),
  };
}

/** tau-bench's `gt_data_hash`; null for an environment that has no such hash, and for golden actions that are not known. */
function goldenHash(environment: Environment, { goldenActions }: ToldTask): string | null {
  if (goldenActions === null) return null;
  const actions = goldenActions.filter(({ name }) => !environment.isTerminal(name));
  const state = actions.reduce((before, call) => environment.step(before, call).state, environment.reset());
  return state instanceof DatabaseState ? tauHash(state) : null;
}
