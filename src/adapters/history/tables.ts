// The tables of history that are filled from manifests. Each list is a table: column, type, value. docs/history.md describes them.
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Estimate, EvaluationReport, PolicyComparison } from "#contracts/evaluation-report.ts";
import type { StageManifest } from "#contracts/manifests.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import { totalMeter } from "#core/campaign/meters.ts";
import { authorSha256Of } from "#core/reward/reward-table.ts";
import { type Cell, createTable, type TableColumn } from "../duckdb/table.ts";
import type { RecordedCampaign, RecordedIteration, UnreadableCampaign } from "./load.ts";

type CampaignRow = { readonly readable: RecordedCampaign } | { readonly unreadable: UnreadableCampaign };
const of = (value: (campaign: RecordedCampaign) => Cell) => (row: CampaignRow) => ("readable" in row ? value(row.readable) : null);

/** Becomes `campaigns` when views.ts has joined the pass rates. */
const CAMPAIGNS: readonly TableColumn<CampaignRow>[] = [
  ["campaign_id", "VARCHAR", (row) => ("readable" in row ? row.readable.id : row.unreadable.id)],
  ["name", "VARCHAR", of(({ campaign }) => campaign.config.name)],
  ["state", "VARCHAR", (row) => ("readable" in row ? (row.readable.end?.state ?? "open") : "unreadable")],
  ["reason", "VARCHAR", (row) => ("readable" in row ? (row.readable.end?.reason ?? null) : row.unreadable.problem.message)],
  ["created_at", "TIMESTAMP", of(({ campaign }) => campaign.createdAt)],
  ["finished_at", "TIMESTAMP", of(({ end }) => end?.finishedAt ?? null)],
  ["seconds", "DOUBLE", of(campaignSeconds)],
  [
    "num_iterations",
    "INTEGER",
    of(({ iterations }) => iterations.filter(({ iteration, manifest }) => iteration > 0 && manifest !== null).length),
  ],
  ["max_iterations", "INTEGER", of(({ campaign }) => campaign.config.stop.maxIterations)],
  ["seed", "BIGINT", of(({ campaign }) => campaign.config.seed)],
  ["environment", "VARCHAR", of(({ campaign }) => campaign.config.environment.type)],
  ["estimator", "VARCHAR", of(({ campaign }) => campaign.config.advantage.type)],
  ["code_version", "VARCHAR", of(({ campaign }) => campaign.codeVersion)],
  ["data_sha256", "VARCHAR", of(({ campaign }) => campaign.dataSha256)],
  ["config_sha256", "VARCHAR", of(({ campaign }) => campaign.configSha256)],
  ["parent_campaign_id", "VARCHAR", of(({ campaign }) => campaign.parent?.campaignId ?? null)],
  ["parent_iteration", "INTEGER", of(({ campaign }) => campaign.parent?.iteration ?? null)],
  ["config", "JSON", of(({ campaign }) => JSON.stringify(campaign.config))],
];

/** Seconds from creation to the end, or to the last committed iteration. */
function campaignSeconds({ campaign, end, iterations }: RecordedCampaign): number {
  const last = end?.finishedAt ?? iterations.findLast(({ manifest }) => manifest !== null)?.manifest?.finishedAt ?? campaign.createdAt;
  return (Date.parse(last) - Date.parse(campaign.createdAt)) / 1000;
}

type Of<Row> = { readonly campaignId: string; readonly iteration: number } & Row;
const KEY: readonly TableColumn<Of<unknown>>[] = [
  ["campaign_id", "VARCHAR", (row) => row.campaignId],
  ["iteration", "INTEGER", (row) => row.iteration],
];

const passRateOf = (report: EvaluationReport | null) => report?.passHatK.find(({ k }) => k === 1)?.estimate ?? null;

const ITERATIONS: readonly TableColumn<Of<{ readonly data: RecordedIteration }>>[] = [
  ...KEY,
  ["is_complete", "BOOLEAN", ({ data }) => data.manifest !== null],
  ["train_pass_rate", "DOUBLE", ({ data }) => data.manifest?.trainPassRate ?? null],
  ["train_truncation_rate", "DOUBLE", ({ data }) => data.manifest?.trainTruncationRate ?? null],
  [
    "train_do_nothing_floor",
    "DOUBLE",
    ({ data }) => data.stages.find(({ stage }) => stage === "rollout")?.metrics["rollout/do_nothing_floor"] ?? null,
  ],
  ["do_nothing_floor", "DOUBLE", ({ data }) => data.report?.doNothingFloor ?? null],
  ["evaluation_pass_rate", "DOUBLE", ({ data }) => passRateOf(data.report)?.value ?? null],
  ["evaluation_low", "DOUBLE", ({ data }) => passRateOf(data.report)?.low ?? null],
  ["evaluation_high", "DOUBLE", ({ data }) => passRateOf(data.report)?.high ?? null],
  ["gate_decision", "VARCHAR", ({ data }) => data.manifest?.gateDecision ?? null],
  ["promotion", "VARCHAR", ({ data }) => data.manifest?.promotion ?? null],
  ["policy_before", "VARCHAR", ({ data }) => data.manifest?.policyBefore.name ?? null],
  ["policy_trained", "VARCHAR", ({ data }) => data.manifest?.policyTrained?.name ?? null],
  ["policy_after", "VARCHAR", ({ data }) => data.manifest?.policyAfter.name ?? null],
  ["table_before", "VARCHAR", ({ data }) => data.tableBefore?.sha256 ?? null],
  ["table_after", "VARCHAR", ({ data }) => data.tableAfter?.sha256 ?? null],
  ["model_calls", "BIGINT", ({ data }) => (data.manifest === null ? null : totalMeter(data.manifest.meters).calls)],
  ["seconds", "DOUBLE", ({ data }) => data.stages.reduce((sum, { seconds }) => sum + seconds, 0)],
  ["finished_at", "TIMESTAMP", ({ data }) => data.manifest?.finishedAt ?? null],
];

const STAGES: readonly TableColumn<Of<{ readonly data: StageManifest }>>[] = [
  ...KEY,
  ["stage", "VARCHAR", ({ data }) => data.stage],
  ["decision", "VARCHAR", ({ data }) => data.decision],
  ["started_at", "TIMESTAMP", ({ data }) => data.startedAt],
  ["seconds", "DOUBLE", ({ data }) => data.seconds],
  ["inputs", "JSON", ({ data }) => JSON.stringify(data.inputs)],
  ["outputs", "JSON", ({ data }) => JSON.stringify(data.outputs)],
  ["versions", "JSON", ({ data }) => JSON.stringify(data.versions)],
];

const METRICS: readonly TableColumn<Of<{ readonly stage: string; readonly name: string; readonly value: number }>>[] = [
  ...KEY,
  ["stage", "VARCHAR", (row) => row.stage],
  ["name", "VARCHAR", (row) => row.name],
  ["value", "DOUBLE", (row) => row.value],
];

const REWARDS: readonly TableColumn<Of<{ readonly moment: "before" | "after"; readonly table: RewardTable; readonly tier: string }>>[] = [
  ...KEY,
  ["moment", "VARCHAR", (row) => row.moment],
  ["tier", "VARCHAR", (row) => row.tier],
  ["value", "DOUBLE", ({ table, tier }) => (table.values[tier] === "soft" ? null : (table.values[tier] ?? null))],
  ["is_soft", "BOOLEAN", ({ table, tier }) => table.values[tier] === "soft"],
  ["intended_sign", "INTEGER", ({ table, tier }) => table.intendedSigns[tier] ?? null],
  ["table_name", "VARCHAR", ({ table }) => table.name],
  ["table_sha256", "VARCHAR", ({ table }) => table.sha256],
  ["parent_sha256", "VARCHAR", ({ table }) => table.lineage.parentSha256],
  ["author_sha256", "VARCHAR", ({ table }) => authorSha256Of(table)],
  ["rule", "VARCHAR", ({ table }) => table.lineage.rule],
];

interface EvaluationRow {
  readonly report: EvaluationReport;
  readonly measure: string;
  readonly k: number | null;
  readonly against: string | null;
  readonly estimate: Estimate;
  /** Of a difference. */
  readonly comparison: PolicyComparison | null;
}

const EVALUATIONS: readonly TableColumn<Of<EvaluationRow>>[] = [
  ...KEY,
  ["policy_hash", "VARCHAR", ({ report }) => report.policyHash],
  ["purpose", "VARCHAR", ({ report }) => report.purpose],
  ["measure", "VARCHAR", (row) => row.measure],
  ["k", "INTEGER", (row) => row.k],
  ["against", "VARCHAR", (row) => row.against],
  ["value", "DOUBLE", ({ estimate }) => estimate.value],
  ["low", "DOUBLE", ({ estimate }) => estimate.low],
  ["high", "DOUBLE", ({ estimate }) => estimate.high],
  ["p_value", "DOUBLE", ({ comparison }) => comparison?.pValue ?? null],
  ["p_holm", "DOUBLE", ({ comparison }) => comparison?.pHolm ?? null],
  ["detectable_difference", "DOUBLE", ({ comparison }) => comparison?.detectableDifference ?? null],
  ["num_tasks_better", "INTEGER", ({ comparison }) => comparison?.numTasksBetter ?? null],
  ["num_tasks_worse", "INTEGER", ({ comparison }) => comparison?.numTasksWorse ?? null],
  ["num_tasks", "INTEGER", ({ report, comparison }) => comparison?.numTasks ?? report.numTasks],
  ["num_clusters", "INTEGER", ({ report, comparison }) => comparison?.numClusters ?? report.numClusters],
  ["trials", "INTEGER", ({ report }) => report.trials],
  ["confidence", "DOUBLE", ({ report }) => report.confidence],
  ["do_nothing_floor", "DOUBLE", ({ report }) => report.doNothingFloor],
];

const EVALUATION_TASKS: readonly TableColumn<
  Of<{ readonly report: EvaluationReport; readonly task: EvaluationReport["perTask"][number] }>
>[] = [
  ...KEY,
  ["policy_hash", "VARCHAR", ({ report }) => report.policyHash],
  ["task_id", "VARCHAR", ({ task }) => task.taskId],
  ["cluster", "VARCHAR", ({ task }) => task.cluster],
  ["kind", "VARCHAR", ({ task }) => task.kind],
  ["num_passes", "INTEGER", ({ task }) => task.numPasses],
  ["trials", "INTEGER", ({ task }) => task.trials],
];

/** Fills campaign_facts, iterations, stages, metrics, rewards, evaluations and evaluation_tasks. */
export async function createManifestTables(
  connection: DuckDBConnection,
  { readable, unreadable }: { readonly readable: readonly RecordedCampaign[]; readonly unreadable: readonly UnreadableCampaign[] },
): Promise<void> {
  const campaigns: CampaignRow[] = [
    ...readable.map((campaign) => ({ readable: campaign })),
    ...unreadable.map((campaign) => ({ unreadable: campaign })),
  ];
  const iterations = readable.flatMap(({ id, iterations: members }) =>
    members.map((data) => ({ campaignId: id, iteration: data.iteration, data })),
  );
  const stages = iterations.flatMap(({ campaignId, iteration, data }) =>
    data.stages.map((stage) => ({ campaignId, iteration, data: stage })),
  );
  const reports = iterations.flatMap(({ campaignId, iteration, data: { report } }) =>
    report === null ? [] : [{ campaignId, iteration, report }],
  );
  await createTable(connection, "campaign_facts", CAMPAIGNS, campaigns);
  await createTable(connection, "iterations", ITERATIONS, iterations);
  await createTable(connection, "stages", STAGES, stages);
  await createTable(
    connection,
    "metrics",
    METRICS,
    stages.flatMap(({ data, ...key }) => Object.entries(data.metrics).map(([name, value]) => ({ ...key, stage: data.stage, name, value }))),
  );
  await createTable(
    connection,
    "rewards",
    REWARDS,
    iterations.flatMap(({ data, ...key }) => rewardRows(data).map((row) => ({ ...key, ...row }))),
  );
  await createTable(
    connection,
    "evaluations",
    EVALUATIONS,
    reports.flatMap(({ report, ...key }) => evaluationRows(report).map((row) => ({ ...key, ...row }))),
  );
  await createTable(
    connection,
    "evaluation_tasks",
    EVALUATION_TASKS,
    reports.flatMap((row) => row.report.perTask.map((task) => ({ ...row, task }))),
  );
}

function rewardRows({ tableBefore, tableAfter }: RecordedIteration) {
  const tables = [
    { moment: "before" as const, table: tableBefore },
    { moment: "after" as const, table: tableAfter },
  ];
  return tables.flatMap(({ moment, table }) => (table === null ? [] : Object.keys(table.values).map((tier) => ({ moment, table, tier }))));
}

function evaluationRows(report: EvaluationReport): EvaluationRow[] {
  return [
    ...report.passHatK.map(({ k, estimate }) => ({
      report,
      measure: `pass^${k}`,
      k,
      against: null,
      estimate,
      comparison: null,
    })),
    ...report.comparisons.map((comparison) => ({
      report,
      measure: "difference",
      k: 1,
      against: comparison.against,
      estimate: comparison.difference,
      comparison,
    })),
  ];
}
