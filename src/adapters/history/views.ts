// The tables of history that are made by SQL: groups from their manifests, trajectories and turns from Parquet files.
import type { DuckDBConnection } from "@duckdb/node-api";
import { Party } from "#contracts/meters.ts";
import { createTable, quote, type TableColumn } from "../duckdb/table.ts";
import { TRAJECTORY_TABLE } from "../record/trajectories.ts";
import { TURN_CREDIT_TABLE } from "../record/turn-credit.ts";
import type { RowFile, RowFiles, StoredGroup } from "./groups.ts";

const GROUP_FIELDS: readonly (readonly [name: string, type: string])[] = [
  ["campaignId", "VARCHAR"],
  ["iteration", "INTEGER"],
  ["purpose", "VARCHAR"],
  ["taskId", "VARCHAR"],
  ["policy", "STRUCT(name VARCHAR, hash VARCHAR)"],
  ["trajectories", "STRUCT(sha256 VARCHAR, schema VARCHAR)"],
  ["outcomes", "STRUCT(type VARCHAR, reward DOUBLE, passed BOOLEAN, numTurns INTEGER, stopReason VARCHAR)[]"],
  [
    "usage",
    "STRUCT(promptTokens BIGINT, completionTokens BIGINT, simulatorPromptTokens BIGINT, simulatorCompletionTokens BIGINT, modelCalls BIGINT, simulatorCalls BIGINT)",
  ],
  ["meters", `STRUCT(${Party.options.map((party) => `${party} STRUCT(usd DOUBLE, gpuSeconds DOUBLE)`).join(", ")})`],
  ["seconds", "DOUBLE"],
  ["numRetriedRollouts", "INTEGER"],
  ["numFlaggedStops", "INTEGER"],
  ["numResumedTurns", "INTEGER"],
];

/** 0.1.0 called its selection evaluation, and knew no prices. Until version 3 of the manifest a reward was 0 or 1, and 1 was the pass. */
const GROUPS = `
CREATE TABLE groups AS
SELECT campaignId AS campaign_id, iteration, CASE purpose WHEN 'evaluation' THEN 'selection' ELSE purpose END AS purpose, taskId AS task_id, policy.name AS policy_name, policy.hash AS policy_hash,
  len(outcomes) AS num_rollouts,
  list_sum(list_transform(outcomes, lambda outcome: coalesce(outcome.passed, outcome.reward = 1)::INTEGER))::INTEGER AS num_passes,
  list_avg(list_transform(outcomes, lambda outcome: outcome.reward)) AS mean_reward,
  list_sum(list_transform(outcomes, lambda outcome: outcome.numTurns))::INTEGER AS num_turns,
  num_passes > 0 AND num_passes < num_rollouts AS is_mixed,
  usage.promptTokens AS prompt_tokens, usage.completionTokens AS completion_tokens,
  usage.simulatorPromptTokens AS simulator_prompt_tokens, usage.simulatorCompletionTokens AS simulator_completion_tokens,
  usage.modelCalls AS model_calls, usage.simulatorCalls AS simulator_calls,
  meters.policy.usd AS policy_usd, meters.user.usd AS user_usd, meters.policy.gpuSeconds AS policy_gpu_seconds,
  seconds, numRetriedRollouts AS num_retried_rollouts, numFlaggedStops AS num_flagged_stops, numResumedTurns AS num_resumed_turns, trajectories.sha256 AS trajectories_sha256, trajectories.schema AS trajectories_schema
FROM group_manifests ORDER BY campaign_id, iteration, purpose, task_id;
DROP TABLE group_manifests`;

const TRAJECTORIES = `
CREATE VIEW trajectories AS
SELECT groups.campaign_id, groups.iteration, groups.purpose, rollouts.* EXCLUDE (filename)
FROM groups JOIN files.trajectory_paths AS paths ON paths.sha256 = groups.trajectories_sha256
  JOIN files.trajectory_rows AS rollouts ON rollouts.filename = paths.path`;

/** DuckDB takes no escape of half a surrogate pair, which a model may write: such escapes are left out here (never in the Parquet). */
const READABLE_CONVERSATION = String.raw`CASE WHEN json_valid(conversation_json) THEN conversation_json
  ELSE regexp_replace(conversation_json, '(\\\\)|\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\1', 'g') END`;
const TURN_STRUCTURE = `[{"index": "INTEGER", "content": "VARCHAR", "userReply": "VARCHAR", "finishReason": "VARCHAR", "stateHash": "VARCHAR",
  "toolCalls": [{"name": "VARCHAR", "argumentsJson": "VARCHAR", "result": "VARCHAR", "isError": "BOOLEAN", "isExecuted": "BOOLEAN"}]}]`;

/** `turn_credit`: tier, turn reward and advantage of the turns that were trained on. */
const TURN_CREDIT = `
CREATE VIEW turn_credit AS
SELECT sources.campaign_id, sources.iteration, credit.* EXCLUDE (filename)
FROM files.credit_sources AS sources JOIN files.credit_paths AS paths ON paths.sha256 = sources.sha256
  JOIN files.credit_rows AS credit ON credit.filename = paths.path`;
const CREDIT_SOURCES = `
CREATE TABLE files.credit_sources AS
SELECT campaign_id, iteration, outputs ->> '$.credit.sha256' AS sha256 FROM stages WHERE stage = 'training' AND sha256 IS NOT NULL`;

const TURNS = `
CREATE VIEW turns AS
WITH unnested AS (
  SELECT campaign_id, iteration, purpose, task_id, trial, policy_name, outcome_type, reward, passed,
    unnest(from_json(json_extract(${READABLE_CONVERSATION}, '$.turns'), '${TURN_STRUCTURE}')) AS turn
  FROM trajectories
)
SELECT unnested.* EXCLUDE (turn), turn.index AS turn_index, credit.tier, credit.turn_reward, credit.advantage, turn.content AS content, turn.userReply AS user_reply, turn.finishReason AS finish_reason,
  len(turn.toolCalls) AS num_tool_calls, list_transform(turn.toolCalls, lambda call: call.name) AS tool_names,
  coalesce(list_bool_or(list_transform(turn.toolCalls, lambda call: call.isError)), false) AS has_tool_error,
  turn.toolCalls AS tool_calls, turn.stateHash AS state_hash
FROM unnested LEFT JOIN turn_credit AS credit ON purpose = 'train' AND credit.campaign_id = unnested.campaign_id
  AND credit.iteration = unnested.iteration AND credit.task_id = unnested.task_id AND credit.trial = unnested.trial AND credit.turn_index = turn.index`;

/** Makes groups, trajectories, turns and turn_credit. Without files the rollouts' tables are there and empty. */
export async function createViews(connection: DuckDBConnection, groups: readonly StoredGroup[], files: RowFiles): Promise<void> {
  await createGroupManifests(connection, groups);
  await connection.run(GROUPS);
  await connection.run("CREATE SCHEMA files");
  await createRows(connection, "trajectory", TRAJECTORY_TABLE, files.trajectories);
  await connection.run(TRAJECTORIES);
  await createRows(connection, "credit", TURN_CREDIT_TABLE, files.credit);
  await connection.run(CREDIT_SOURCES);
  await connection.run(TURN_CREDIT);
  await connection.run(TURNS);
}

async function createGroupManifests(connection: DuckDBConnection, groups: readonly StoredGroup[]): Promise<void> {
  const json: readonly TableColumn<StoredGroup>[] = [["manifest", "JSON", ({ manifest }) => JSON.stringify(manifest)]];
  await createTable(connection, "stored_groups", json, groups);
  const structure = quote(JSON.stringify(Object.fromEntries(GROUP_FIELDS)));
  await connection.run(`CREATE TABLE group_manifests AS SELECT unnest(from_json(manifest, ${structure})) FROM stored_groups;
    DROP TABLE stored_groups`);
}

/** `files.<name>_rows` with the rows of all files and their `filename`, and `files.<name>_paths`: which file is which blob. */
async function createRows<Row>(
  connection: DuckDBConnection,
  name: "trajectory" | "credit",
  columns: readonly TableColumn<Row>[],
  files: readonly RowFile[],
): Promise<void> {
  const paths: readonly TableColumn<RowFile>[] = [
    ["sha256", "VARCHAR", ({ sha256 }) => sha256],
    ["path", "VARCHAR", ({ path }) => path],
  ];
  await createTable(connection, `files.${name}_paths`, paths, files);
  if (files.length === 0) return createTable(connection, `files.${name}_rows`, [...columns, ["filename", "VARCHAR", () => null]], []);
  // Files of each version apart, as one table of the newest: DuckDB would read all of them by the columns of the first.
  const parts = [...Map.groupBy(files, ({ schema }) => schema)].map(([schema, of]) => {
    const list = of.map(({ path }) => quote(path)).join(", ");
    return `SELECT ${EARLIER_ROWS[schema] ?? "*"} FROM read_parquet([${list}], filename = true)`;
  });
  await connection.run(`CREATE VIEW files.${name}_rows AS ${parts.join(" UNION ALL BY NAME ")}`);
}

/** What rows of earlier versions are read as, by their schema. */
const EARLIER_ROWS: Readonly<Record<string, string>> = {
  "Trajectories/1": "* REPLACE (reward::DOUBLE AS reward), reward = 1 AS passed",
};
