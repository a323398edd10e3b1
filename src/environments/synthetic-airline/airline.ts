// The built-in airline as a task set: generated database, real tools, tasks split by user.
import type { GoldenTask } from "#contracts/task.ts";
import type { Environment, PureTaskSet } from "#core/environment/environment.ts";
import { drawUsers } from "#core/environment/split-by-user.ts";
import { type AirlineDatabase, createAirlineDatabase } from "../tau/airline/database.ts";
import { type AirlineState, createAirlineEnvironment } from "../tau/airline/environment.ts";
import { AIRLINE_POLICY_DOCUMENT } from "../tau/airline/policy-document.ts";
import type { AirlineRecords } from "../tau/airline/records.ts";
import { AIRLINE_TOOL_SCHEMAS } from "../tau/airline/tool-schemas.ts";
import { generateAirline } from "./database.ts";
import { generateTask, type Split, splitUsers, type TaskSource } from "./tasks.ts";

/** Tasks of a task set by split. There are more: syntheticSource and generateTask make any number. */
const NUM_TASKS: Readonly<Record<Split, number>> = { sft: 200, train: 600, evaluation: 400 };

/** Share of the held-out tasks that choose the policy; the others measure it. */
const SELECTION_SHARE = 1 / 3;

/** Database, environment and user splits of a seed, without tasks. */
export function syntheticSource(seed: number): TaskSource<AirlineState> {
  const records = generateAirline(seed);
  return sourceOf(seed, records, createAirlineDatabase(records));
}

/** The built-in synthetic airline. Same seed: same data, same tasks, same hash. */
export function createSyntheticAirline(seed: number): PureTaskSet<AirlineState> {
  const records = generateAirline(seed);
  const database = createAirlineDatabase(records);
  const source = sourceOf(seed, records, database);
  const tasks = (split: Split): GoldenTask[] => Array.from({ length: NUM_TASKS[split] }, (_, index) => generateTask(source, split, index));
  const [sft, train, heldOut] = [tasks("sft"), tasks("train"), tasks("evaluation")];
  const users = drawUsers(heldOut, SELECTION_SHARE, { draw: "selection-users", seed });
  const selection = heldOut.filter(({ userId }) => users.has(userId));
  const test = heldOut.filter(({ userId }) => !users.has(userId));
  return { environment: environmentOf(database, [...sft, ...train, ...heldOut]), splits: { sft, train, selection, test } };
}

/** By seed: generated once a process, since they are immutable. */
const generated = new Map<number, PureTaskSet>();

export function loadSyntheticAirline(seed: number): PureTaskSet {
  const taskSet = generated.get(seed) ?? (createSyntheticAirline(seed) as PureTaskSet);
  generated.set(seed, taskSet);
  return taskSet;
}

function sourceOf(seed: number, records: AirlineRecords, database: AirlineDatabase): TaskSource<AirlineState> {
  return { seed, records, environment: environmentOf(database, []), users: splitUsers(seed, records) };
}

function environmentOf(database: AirlineDatabase, tasks: readonly GoldenTask[]): Environment<AirlineState> {
  return createAirlineEnvironment({ database, tools: AIRLINE_TOOL_SCHEMAS, systemPrompt: AIRLINE_POLICY_DOCUMENT, tasks });
}
