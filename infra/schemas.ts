// `npm run schemas`: JSON Schema from the zod contracts. For the Python trainer into trainer/src/trainer/schemas; for people and
// programs outside, of what commands read and print, into docs/schemas. With --check nothing is written and a difference is an error.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { AdvantagesReport } from "#contracts/advantages-report.ts";
import { AdvantagesByPolicy, CalibrationsByPolicy } from "#contracts/by-policy.ts";
import { CalibrationReport } from "#contracts/calibration-report.ts";
import { CodeQuestionLine } from "#contracts/code-task.ts";
import { EstimatorTestbedReport } from "#contracts/estimator-testbed-report.ts";
import { EvaluationReport } from "#contracts/evaluation-report.ts";
import { PaperTables } from "#contracts/paper-tables.ts";
import { ReportDiff } from "#contracts/report-diff.ts";
import { RewardTableFile, TierSchemeFile } from "#contracts/reward-table.ts";
import { RolloutLine } from "#contracts/rollout-line.ts";
import { SelectionTestbedReport } from "#contracts/selection-testbed-report.ts";
import { InitialModelJob, SftEvent, SftJob, SftResult, SftRow, TokenizerJob } from "#contracts/sft.ts";
import { SimulatorAudit } from "#contracts/simulator-audit.ts";
import { TaskFile } from "#contracts/task-file.ts";
import { TestbedReport } from "#contracts/testbed-report.ts";
import { BatchHeader, TrainingEvent, TrainingJob, TrainingResult, TrainingUsage } from "#contracts/training.ts";
import { CampaignFile } from "#environments/registry.ts";

interface Destination {
  readonly folder: string;
  readonly contracts: Readonly<Record<string, z.ZodType>>;
  /** Whether the schemas are of what is read (defaults may be left out) or of what is printed. */
  readonly io: "input" | "output";
}

const DESTINATIONS: readonly Destination[] = [
  {
    folder: "trainer/src/trainer/schemas",
    contracts: {
      BatchHeader,
      InitialModelJob,
      SftEvent,
      SftJob,
      SftResult,
      SftRow,
      TokenizerJob,
      TrainingEvent,
      TrainingJob,
      TrainingResult,
      TrainingUsage,
    },
    io: "output",
  },
  {
    folder: "docs/schemas/input",
    contracts: { CampaignConfig: CampaignFile, CodeQuestionLine, RewardTableFile, RolloutLine, TaskFile, TierSchemeFile },
    io: "input",
  },
  {
    folder: "docs/schemas/output",
    contracts: {
      AdvantagesByPolicy,
      AdvantagesReport,
      CalibrationReport,
      CalibrationsByPolicy,
      EstimatorTestbedReport,
      EvaluationReport,
      PaperTables,
      ReportDiff,
      SelectionTestbedReport,
      SimulatorAudit,
      TestbedReport,
    },
    io: "output",
  },
];

const isCheck = process.argv.includes("--check");
const changed = DESTINATIONS.flatMap(update);
if (isCheck && changed.length > 0) {
  console.error(`schemas differ from src/contracts: ${changed.join(", ")}\nnext: npm run schemas`);
  process.exitCode = 1;
}
if (!isCheck) console.log(changed.length === 0 ? "schemas are up to date" : `wrote ${changed.join(", ")}`);

/** Brings one folder up to date, unless only checking; names the files that were not. */
function update(destination: Destination): string[] {
  const folder = fileURLToPath(new URL(`../${destination.folder}/`, import.meta.url));
  if (!isCheck) mkdirSync(folder, { recursive: true });
  const schemas = renderSchemas(destination);
  const changed = differences(schemas, folder);
  for (const name of isCheck ? [] : changed) {
    const text = schemas.get(name);
    if (text === undefined) rmSync(join(folder, name));
    else writeFileSync(join(folder, name), text);
  }
  return changed.map((name) => `${destination.folder}/${name}`);
}

/** Text of each schema file by name. Nothing is shared between files: a reader needs one. */
function renderSchemas({ contracts, io }: Destination): Map<string, string> {
  return new Map(
    Object.entries(contracts).map(([name, contract]) => [`${name}.json`, `${JSON.stringify(z.toJSONSchema(contract, { io }), null, 2)}\n`]),
  );
}

/** Files that are missing, stale or no longer generated. */
function differences(schemas: ReadonlyMap<string, string>, folder: string): string[] {
  const existing = new Set(listSchemas(folder));
  const stale = [...schemas].filter(([name, text]) => !existing.has(name) || readFileSync(join(folder, name), "utf8") !== text);
  return [...stale.map(([name]) => name), ...[...existing].filter((name) => !schemas.has(name))];
}

function listSchemas(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
}
