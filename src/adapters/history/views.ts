// The tables of history that DuckDB reads by itself: groups from their manifests, trajectories and turns from Parquet.
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { Party } from "#contracts/meters.ts";
import { createTable, quote } from "../duckdb/table.ts";
import { TRAJECTORY_TABLE } from "../record/trajectories.ts";
import { TURN_CREDIT_TABLE } from "../record/turn-credit.ts";

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
FROM groups JOIN files.trajectory_rows AS rollouts ON right(rollouts.filename, 64) = groups.trajectories_sha256`;

/** DuckDB takes no escape of half a surrogate pair, which a model may write: such escapes are left out here (never in the Parquet). */
const READABLE_CONVERSATION = String.raw`CASE WHEN json_valid(conversation_json) THEN conversation_json
  ELSE regexp_replace(conversation_json, '(\\\\)|\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\1', 'g') END`;
const TURN_STRUCTURE = `[{"index": "INTEGER", "content": "VARCHAR", "userReply": "VARCHAR", "finishReason": "VARCHAR", "stateHash": "VARCHAR",
  "toolCalls": [{"name": "VARCHAR", "argumentsJson": "VARCHAR", "result": "VARCHAR", "isError": "BOOLEAN", "isExecuted": "BOOLEAN"}]}]`;

/** `turn_credit`: tier, turn reward and advantage of the turns that were trained on. */
const TURN_CREDIT = `
CREATE VIEW turn_credit AS
SELECT sources.campaign_id, sources.iteration, credit.* EXCLUDE (filename)
FROM files.credit_sources AS sources JOIN files.credit_rows AS credit ON right(credit.filename, 64) = sources.sha256`;
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

/** Iterations' groups, and those of the test. */
const GROUP_FILES = ["campaigns/*/iterations/*/groups/*/*.json", "campaigns/*/test/*/groups/*/*.json"];

/** Makes groups, trajectories and turns over the record at `root`. */
export async function createViews(connection: DuckDBConnection, root: string): Promise<void> {
  const hasGroups = await createGroupManifests(
    connection,
    GROUP_FILES.map((files) => quote(join(root, files))),
  );
  await connection.run(GROUPS);
  await connection.run("CREATE SCHEMA files");
  if (hasGroups) await createTrajectoryRows(connection, quote(join(root, "blobs/sha256/")));
  else await createTable(connection, "files.trajectory_rows", [...TRAJECTORY_TABLE, ["filename", "VARCHAR", () => null]], []);
  await connection.run(TRAJECTORIES);
  await createCreditRows(connection, quote(join(root, "blobs/sha256/")));
  await connection.run(TURN_CREDIT);
  await connection.run(TURNS);
}

/** False when the record has no group yet: DuckDB refuses a pattern that matches nothing. */
async function createGroupManifests(connection: DuckDBConnection, patterns: readonly string[]): Promise<boolean> {
  const found: string[] = [];
  for (const pattern of patterns) {
    if ((await connection.runAndReadAll(`SELECT 1 FROM glob(${pattern}) LIMIT 1`)).currentRowCount > 0) found.push(pattern);
  }
  const columns = GROUP_FIELDS.map(([name, type]) => `${name}: '${type}'`).join(", ");
  if (found.length > 0)
    await connection.run(
      `CREATE TABLE group_manifests AS FROM read_json([${found.join(", ")}], columns = {${columns}}, format = 'unstructured')`,
    );
  else await connection.run(`CREATE TABLE group_manifests (${GROUP_FIELDS.map(([name, type]) => `${name} ${type}`).join(", ")})`);
  return found.length > 0;
}

/** Files of both versions, as one table of the newer one: DuckDB would read all of them by the columns of the first. */
async function createTrajectoryRows(connection: DuckDBConnection, blobs: string): Promise<void> {
  const parts: string[] = [];
  for (const [name, isOfVersion] of VERSIONS) {
    await connection.run(`SET VARIABLE ${name} =
      (SELECT list(DISTINCT ${blobs} || left(trajectories_sha256, 2) || '/' || trajectories_sha256 ORDER BY 1) FROM groups WHERE ${isOfVersion})`);
    const files = await connection.runAndReadAll(`SELECT len(getvariable('${name}'))`);
    if (files.getRows()[0]?.[0] !== null)
      parts.push(`SELECT ${COLUMNS_OF[name]} FROM read_parquet(getvariable('${name}'), filename = true)`);
  }
  await connection.run(`CREATE VIEW files.trajectory_rows AS ${parts.join(" UNION ALL BY NAME ")}`);
}

const FIRST_SCHEMA = "Trajectories/1";
const VERSIONS = [
  ["first_trajectory_files", `trajectories_schema = '${FIRST_SCHEMA}'`],
  ["trajectory_files", `trajectories_schema <> '${FIRST_SCHEMA}'`],
] as const;
const COLUMNS_OF = {
  first_trajectory_files: "* REPLACE (reward::DOUBLE AS reward), reward = 1 AS passed",
  trajectory_files: "*",
} as const;

async function createCreditRows(connection: DuckDBConnection, blobs: string): Promise<void> {
  await connection.run(CREDIT_SOURCES);
  const hasCredit = (await connection.runAndReadAll("SELECT 1 FROM files.credit_sources LIMIT 1")).currentRowCount > 0;
  if (!hasCredit) return createTable(connection, "files.credit_rows", [...TURN_CREDIT_TABLE, ["filename", "VARCHAR", () => null]], []);
  await connection.run(
    `SET VARIABLE credit_files = (SELECT list(DISTINCT ${blobs} || left(sha256, 2) || '/' || sha256 ORDER BY 1) FROM files.credit_sources)`,
  );
  await connection.run("CREATE VIEW files.credit_rows AS FROM read_parquet(getvariable('credit_files'), filename = true)");
}
