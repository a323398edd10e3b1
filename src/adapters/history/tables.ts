// The tables of history that are filled from manifests. Each list is a table: column, type, value. docs/history.md describes them.
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Estimate, EvaluationReport, PolicyComparison } from "#contracts/evaluation-report.ts";
import type { StageManifest } from "#contracts/manifests.ts";
import { type Meter, Party } from "#contracts/meters.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import type { SteeringWord } from "#contracts/steering.ts";
import { totalMeter } from "#core/campaign/meters.ts";
import { authorSha256Of } from "#core/reward/reward-table.ts";
import { type Cell, createTable, type TableColumn } from "../duckdb/table.ts";
import {
  comparisonOf,
  finalPolicyOf,
  finalSelectionOf,
  metersOf,
  metersOfIteration,
  noTestReasonOf,
  passRateOf,
  runningSecondsOf,
  testReports,
  wallSecondsOf,
} from "./facts.ts";
import type { RecordedCampaign, RecordedIteration, UnreadableCampaign } from "./load.ts";

type CampaignRow = { readonly readable: RecordedCampaign } | { readonly unreadable: UnreadableCampaign };
const of = (value: (campaign: RecordedCampaign) => Cell) => (row: CampaignRow) => ("readable" in row ? value(row.readable) : null);

/** Columns `<name>`, `<name>_low` and `<name>_high` of an estimate. */
function estimateColumns<Row>(name: string, estimate: (row: Row) => Estimate | null | undefined): TableColumn<Row>[] {
  return [
    [name, "DOUBLE", (row) => estimate(row)?.value ?? null],
    [`${name}_low`, "DOUBLE", (row) => estimate(row)?.low ?? null],
    [`${name}_high`, "DOUBLE", (row) => estimate(row)?.high ?? null],
  ];
}

const estimateOf = (name: string, estimate: (campaign: RecordedCampaign) => Estimate | null | undefined) =>
  estimateColumns<CampaignRow>(name, (row) => ("readable" in row ? estimate(row.readable) : null));

const comparedTo = ({ test }: RecordedCampaign) => comparisonOf(test?.final ?? null, "base");

const CAMPAIGNS: readonly TableColumn<CampaignRow>[] = [
  ["campaign_id", "VARCHAR", (row) => ("readable" in row ? row.readable.id : row.unreadable.id)],
  ["name", "VARCHAR", of(({ campaign }) => campaign.config.name)],
  ["state", "VARCHAR", (row) => ("readable" in row ? (row.readable.end?.state ?? "open") : "unreadable")],
  ["reason", "VARCHAR", (row) => ("readable" in row ? (row.readable.end?.reason ?? null) : row.unreadable.problem.message)],
  ["created_at", "TIMESTAMP", of(({ campaign }) => campaign.createdAt)],
  ["finished_at", "TIMESTAMP", of(({ end }) => end?.finishedAt ?? null)],
  ["seconds", "DOUBLE", of(wallSecondsOf)],
  ["running_seconds", "DOUBLE", of(runningSecondsOf)],
  [
    "num_iterations",
    "INTEGER",
    of(({ iterations }) => iterations.filter(({ iteration, manifest }) => iteration > 0 && manifest !== null).length),
  ],
  ["max_iterations", "INTEGER", of(({ campaign }) => campaign.config.stop.maxIterations)],
  ["seed", "BIGINT", of(({ campaign }) => campaign.config.seed)],
  ["evaluation_seed", "BIGINT", of(({ campaign }) => campaign.config.evaluation.seed)],
  ["environment", "VARCHAR", of(({ campaign }) => campaign.config.environment.type)],
  ["estimator", "VARCHAR", of(({ campaign }) => campaign.config.advantage.type)],
  ["code_version", "VARCHAR", of(({ campaign }) => campaign.codeVersion)],
  ["data_sha256", "VARCHAR", of(({ campaign }) => campaign.dataSha256)],
  ["config_sha256", "VARCHAR", of(({ campaign }) => campaign.configSha256)],
  ["parent_campaign_id", "VARCHAR", of(({ campaign }) => campaign.parent?.campaignId ?? null)],
  ["parent_iteration", "INTEGER", of(({ campaign }) => campaign.parent?.iteration ?? null)],
  ["base_policy", "VARCHAR", of(({ campaign }) => campaign.basePolicy.name)],
  ["final_policy", "VARCHAR", of((campaign) => finalPolicyOf(campaign).policy.name)],
  ["final_iteration", "INTEGER", of((campaign) => finalPolicyOf(campaign).iteration)],
  ["no_test_reason", "VARCHAR", of(noTestReasonOf)],
  ["test_num_tasks", "INTEGER", of(({ test }) => test?.final.numTasks ?? null)],
  ["test_num_clusters", "INTEGER", of(({ test }) => test?.final.numClusters ?? null)],
  ["test_trials", "INTEGER", of(({ test }) => test?.final.trials ?? null)],
  ["test_do_nothing_floor", "DOUBLE", of(({ test }) => test?.final.doNothingFloor ?? null)],
  ...estimateOf("test_base_pass_rate", ({ test }) => passRateOf(test?.base ?? null)),
  ...estimateOf("test_pass_rate", ({ test }) => passRateOf(test?.final ?? null)),
  ...estimateOf("difference", (campaign) => comparedTo(campaign)?.difference),
  ["p_value", "DOUBLE", of((campaign) => comparedTo(campaign)?.pValue ?? null)],
  ["p_holm", "DOUBLE", of((campaign) => comparedTo(campaign)?.pHolm ?? null)],
  ["detectable_difference", "DOUBLE", of((campaign) => comparedTo(campaign)?.detectableDifference ?? null)],
  ...estimateOf("selection_base_pass_rate", ({ iterations }) =>
    passRateOf(iterations.find(({ iteration }) => iteration === 0)?.report ?? null),
  ),
  ...estimateOf("selection_pass_rate", (campaign) => passRateOf(finalSelectionOf(campaign))),
  ["selection_do_nothing_floor", "DOUBLE", of((campaign) => finalSelectionOf(campaign)?.doNothingFloor ?? null)],
  ["model_calls", "BIGINT", of((campaign) => totalMeter(metersOf(campaign)).calls)],
  ["usd", "DOUBLE", of((campaign) => totalMeter(metersOf(campaign)).usd)],
  ["gpu_seconds", "DOUBLE", of((campaign) => totalMeter(metersOf(campaign)).gpuSeconds)],
  ["config", "JSON", of(({ campaign }) => JSON.stringify(campaign.config))],
];

type Of<Row> = { readonly campaignId: string; readonly iteration: number } & Row;
const KEY: readonly TableColumn<Of<unknown>>[] = [
  ["campaign_id", "VARCHAR", (row) => row.campaignId],
  ["iteration", "INTEGER", (row) => row.iteration],
];

const ITERATIONS: readonly TableColumn<Of<{ readonly data: RecordedIteration }>>[] = [
  ...KEY,
  ["owner_campaign_id", "VARCHAR", ({ data }) => data.owner],
  ["is_complete", "BOOLEAN", ({ data }) => data.manifest !== null],
  ["train_pass_rate", "DOUBLE", ({ data }) => data.manifest?.trainPassRate ?? null],
  ["train_truncation_rate", "DOUBLE", ({ data }) => data.manifest?.trainTruncationRate ?? null],
  [
    "train_do_nothing_floor",
    "DOUBLE",
    ({ data }) => data.stages.find(({ stage }) => stage === "rollout")?.metrics["rollout/do_nothing_floor"] ?? null,
  ],
  ["selection_do_nothing_floor", "DOUBLE", ({ data }) => data.report?.doNothingFloor ?? null],
  ...estimateColumns<Of<{ readonly data: RecordedIteration }>>("selection_pass_rate", ({ data }) => passRateOf(data.report)),
  ["gate_decision", "VARCHAR", ({ data }) => data.manifest?.gateDecision ?? null],
  ["promotion", "VARCHAR", ({ data }) => data.manifest?.promotion ?? null],
  ["policy_before", "VARCHAR", ({ data }) => data.manifest?.policyBefore.name ?? null],
  ["policy_trained", "VARCHAR", ({ data }) => data.manifest?.policyTrained?.name ?? null],
  ["policy_after", "VARCHAR", ({ data }) => data.manifest?.policyAfter.name ?? null],
  ["table_before", "VARCHAR", ({ data }) => data.tableBefore?.sha256 ?? null],
  ["table_after", "VARCHAR", ({ data }) => data.tableAfter?.sha256 ?? null],
  ["model_calls", "BIGINT", ({ data }) => totalMeter(metersOfIteration(data)).calls],
  ["usd", "DOUBLE", ({ data }) => totalMeter(metersOfIteration(data)).usd],
  ["gpu_seconds", "DOUBLE", ({ data }) => totalMeter(metersOfIteration(data)).gpuSeconds],
  ["running_seconds", "DOUBLE", ({ data }) => data.manifest?.runningSeconds || null],
  ["seconds", "DOUBLE", ({ data }) => data.stages.reduce((sum, { seconds }) => sum + seconds, 0)],
  ["finished_at", "TIMESTAMP", ({ data }) => data.manifest?.finishedAt ?? null],
];

const STAGES: readonly TableColumn<Of<{ readonly data: StageManifest }>>[] = [
  ...KEY,
  ["owner_campaign_id", "VARCHAR", ({ data }) => data.campaignId],
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
  ["purpose", "VARCHAR", ({ report }) => report.purpose],
  ["policy_hash", "VARCHAR", ({ report }) => report.policyHash],
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
  ["purpose", "VARCHAR", ({ report }) => report.purpose],
  ["policy_hash", "VARCHAR", ({ report }) => report.policyHash],
  ["task_id", "VARCHAR", ({ task }) => task.taskId],
  ["cluster", "VARCHAR", ({ task }) => task.cluster],
  ["kind", "VARCHAR", ({ task }) => task.kind],
  ["num_passes", "INTEGER", ({ task }) => task.numPasses],
  ["trials", "INTEGER", ({ task }) => task.trials],
];

/** `said_at` and `said_by`: at and by are words of SQL. */
const STEERING: readonly TableColumn<SteeringWord>[] = [
  ["campaign_id", "VARCHAR", ({ campaignId }) => campaignId],
  ["number", "INTEGER", ({ number }) => number],
  ["iteration", "INTEGER", ({ iteration }) => iteration],
  ["said_at", "TIMESTAMP", ({ at }) => at],
  ["word", "VARCHAR", ({ word }) => word],
  ["said_by", "VARCHAR", ({ by }) => by],
  ["who", "VARCHAR", ({ who }) => who],
  ["why", "VARCHAR", ({ why }) => why],
  ["with_test", "BOOLEAN", (said) => (said.word === "stop" ? said.withTest : null)],
  ["max_usd", "DOUBLE", (said) => (said.word === "budget" ? (said.budget.maxUsd ?? null) : null)],
  ["max_model_calls", "BIGINT", (said) => (said.word === "budget" ? (said.budget.maxModelCalls ?? null) : null)],
  ["max_hours", "DOUBLE", (said) => (said.word === "budget" ? (said.budget.maxHours ?? null) : null)],
  ["table_sha256", "VARCHAR", (said) => (said.word === "approve" || said.word === "reject" ? said.table : null)],
];

const METERS: readonly TableColumn<{ readonly campaignId: string; readonly party: Party; readonly meter: Meter }>[] = [
  ["campaign_id", "VARCHAR", ({ campaignId }) => campaignId],
  ["party", "VARCHAR", ({ party }) => party],
  ["calls", "BIGINT", ({ meter }) => meter.calls],
  ["prompt_tokens", "BIGINT", ({ meter }) => meter.promptTokens],
  ["completion_tokens", "BIGINT", ({ meter }) => meter.completionTokens],
  ["usd", "DOUBLE", ({ meter }) => meter.usd],
  ["gpu_seconds", "DOUBLE", ({ meter }) => meter.gpuSeconds],
];

/** Fills campaigns, iterations, stages, metrics, rewards, evaluations, evaluation_tasks, steering and meters. */
export async function createManifestTables(
  connection: DuckDBConnection,
  { readable, unreadable }: { readonly readable: readonly RecordedCampaign[]; readonly unreadable: readonly UnreadableCampaign[] },
): Promise<void> {
  const campaigns: CampaignRow[] = [
    ...readable.map((campaign) => ({ readable: campaign })),
    ...unreadable.map((campaign) => ({ unreadable: campaign })),
  ].sort((one, other) => createdAt(one).localeCompare(createdAt(other)));
  const iterations = readable.flatMap(({ id, iterations: members }) =>
    members.map((data) => ({ campaignId: id, iteration: data.iteration, data })),
  );
  const stages = readable.flatMap(({ id, iterations: members, test }) =>
    [...members.flatMap((member) => member.stages), ...(test === null ? [] : [test.stage])].map((stage) => ({
      campaignId: id,
      iteration: stage.iteration,
      data: stage,
    })),
  );
  const reports = readable.flatMap(({ id, iterations: members, test }) =>
    [...members.map(({ iteration, report }) => ({ iteration, report })), ...testReports({ test })].flatMap(({ iteration, report }) =>
      report === null ? [] : [{ campaignId: id, iteration, report }],
    ),
  );
  await createTable(connection, "campaigns", CAMPAIGNS, campaigns);
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
  await createTable(
    connection,
    "steering",
    STEERING,
    readable.flatMap(({ steering }) => steering),
  );
  await createTable(
    connection,
    "meters",
    METERS,
    readable.flatMap((campaign) => {
      const meters = metersOf(campaign);
      return Party.options.map((party) => ({ campaignId: campaign.id, party, meter: meters[party] }));
    }),
  );
}

const createdAt = (row: CampaignRow) => ("readable" in row ? row.readable.campaign.createdAt : "");

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
