// Trajectories and turn advantages as the flat arrays that the trainer reads. Dimensions: N = token over all rows, R = row.
import type { BatchHeader } from "#contracts/training.ts";
import type { TokenRow, Trajectory } from "#contracts/trajectory.ts";
import { CampaignError } from "../errors.ts";

/** Off the loss mask advantages and log-probabilities are 0 and turn ids -1. Row r is [rowOffsets_R[r], rowOffsets_R[r + 1]). */
export interface TrainingBatch {
  readonly header: BatchHeader;
  readonly tokenIds_N: Int32Array;
  readonly lossMask_N: Uint8Array;
  readonly samplingLogprobs_N: Float32Array;
  readonly advantages_N: Float32Array;
  readonly turnIds_N: Int32Array;
  /** R + 1 values, from 0 to N. */
  readonly rowOffsets_R: BigInt64Array;
}

export interface BatchInput {
  readonly groups: readonly ScoredGroup[];
  readonly policyHash: string;
  readonly rewardTableSha256: string;
  /** Of the tokenizer.json that the token ids are of, where it is known. */
  readonly tokenizerSha256?: string | undefined;
  readonly estimator: string;
  readonly seed: number;
}

/** A group with one advantage per turn: `advantages[member][turn]`, members in the order of `trajectories`. */
export interface ScoredGroup {
  readonly trajectories: readonly Trajectory[];
  readonly advantages: readonly (readonly number[])[];
}

interface KeyedRow {
  readonly key: BatchHeader["rows"][number];
  readonly row: TokenRow;
  readonly advantages_T: readonly number[];
}

/**
 * The training batch of an iteration. Rows come in canonical order (task, trial, branch), whatever the order of groups and members, so
 * equal data give equal bytes. Every sampled token of a turn has the turn's advantage. Rollouts without a turn have no rows.
 *
 * throws  contract.invalid when rollouts have no tokens, lengths do not match, or a (task, trial) occurs twice;
 *         reward.non-finite when an advantage is not finite
 */
export function buildBatch(input: BatchInput): TrainingBatch {
  const rows = input.groups.flatMap(rowsOfGroup).sort(byKey);
  rejectDuplicates(rows);
  const batch = allocate(input, rows);
  for (const [position, row] of rows.entries()) fillRow(batch, row, Number(batch.rowOffsets_R[position]));
  return batch;
}

function rowsOfGroup({ trajectories, advantages }: ScoredGroup): KeyedRow[] {
  if (trajectories.length !== advantages.length)
    throw invalid(`${trajectories.length} trajectories with ${advantages.length} lists of advantages`);
  return trajectories.flatMap((trajectory, member) => rowsOfTrajectory(trajectory, advantages[member] ?? []));
}

function rowsOfTrajectory(trajectory: Trajectory, advantages_T: readonly number[]): KeyedRow[] {
  const { taskId, trial, turns, rows } = trajectory;
  const name = `trial ${trial} of task ${taskId}`;
  if (advantages_T.length !== turns.length) throw invalid(`${name} has ${turns.length} turns and ${advantages_T.length} advantages`);
  if (turns.length > 0 && rows.length === 0) throw invalid(`${name} has no tokens: its policy server does not return token ids`);
  const odd = advantages_T.findIndex((advantage) => !Number.isFinite(advantage));
  if (odd !== -1) throw new CampaignError("reward.non-finite", `the advantage of turn ${odd} of ${name} is ${advantages_T[odd]}`);
  return rows.map((row) => ({ key: { taskId, trial, branch: row.branch }, row, advantages_T }));
}

function byKey({ key: a }: KeyedRow, { key: b }: KeyedRow): number {
  if (a.taskId !== b.taskId) return a.taskId < b.taskId ? -1 : 1;
  return a.trial - b.trial || a.branch - b.branch;
}

function rejectDuplicates(rows: readonly KeyedRow[]): void {
  const twin = rows.find((row, position) => position > 0 && byKey(rows[position - 1] as KeyedRow, row) === 0);
  if (twin !== undefined) throw invalid(`trial ${twin.key.trial} of task ${twin.key.taskId} is in the batch twice`);
}

function allocate(input: BatchInput, rows: readonly KeyedRow[]): TrainingBatch {
  const lengths = rows.map(({ row }) => row.tokenIds.length);
  const rowOffsets_R = new BigInt64Array(rows.length + 1);
  for (const [position, length] of lengths.entries()) rowOffsets_R[position + 1] = (rowOffsets_R[position] ?? 0n) + BigInt(length);
  const numTokens = Number(rowOffsets_R[rows.length]);
  const header: BatchHeader = {
    schemaVersion: 1,
    rows: rows.map(({ key }) => key),
    policyHash: input.policyHash,
    rewardTableSha256: input.rewardTableSha256,
    ...(input.tokenizerSha256 === undefined ? {} : { tokenizerSha256: input.tokenizerSha256 }),
    estimator: input.estimator,
    numTokens,
    numActionTokens: rows.reduce((sum, { row }) => sum + row.logprobs.length, 0),
    numRows: rows.length,
    seed: input.seed,
  };
  return {
    header,
    tokenIds_N: new Int32Array(numTokens),
    lossMask_N: new Uint8Array(numTokens),
    samplingLogprobs_N: new Float32Array(numTokens),
    advantages_N: new Float32Array(numTokens),
    turnIds_N: new Int32Array(numTokens).fill(-1),
    rowOffsets_R,
  };
}

function fillRow(batch: TrainingBatch, { key, row, advantages_T }: KeyedRow, offset: number): void {
  batch.tokenIds_N.set(row.tokenIds, offset);
  let numFilled = 0;
  for (const { turn, start, end } of row.spans) {
    const advantage = advantages_T[turn];
    if (advantage === undefined) throw invalid(`a span of task ${key.taskId} names turn ${turn}, which does not exist`);
    batch.lossMask_N.fill(1, offset + start, offset + end);
    batch.turnIds_N.fill(turn, offset + start, offset + end);
    batch.advantages_N.fill(advantage, offset + start, offset + end);
    batch.samplingLogprobs_N.set(row.logprobs.slice(numFilled, numFilled + end - start), offset + start);
    numFilled += end - start;
  }
  if (numFilled !== row.logprobs.length)
    throw invalid(`task ${key.taskId} has ${row.logprobs.length} log-probabilities for ${numFilled} tokens`);
}

const invalid = (message: string): CampaignError => new CampaignError("contract.invalid", message);
