// The database as an agent sees it: through the read tools of its environment, on the initial state. Answers are parsed once.
import type { GoldenAction } from "#contracts/task.ts";
import type { Environment } from "#core/environment/environment.ts";
import type { DatabaseState } from "#environments/tau/database.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
/** A call of a read tool. */
export type Read = GoldenAction;

export interface World {
  readonly environment: Environment<DatabaseState>;
  readonly userIds: readonly string[];
  /** The parsed answer on the initial state (text that is no JSON stays text); null for an error. */
  answer(read: Read): Json;
  /** All records of a collection, for what a generator may know and an agent cannot. */
  records(collection: string): ReadonlyMap<string, Json>;
}

export function createWorld(environment: Environment<DatabaseState>): World {
  const initial = environment.reset();
  const answers = new Map<string, Json>();
  const collections = new Map<string, ReadonlyMap<string, Json>>();
  const userIds = Array.from(initial.database.collections.get("users")?.keys() ?? []);
  return {
    environment,
    userIds,
    answer(read) {
      const key = keyOf(read);
      const known = answers.get(key);
      if (known !== undefined) return known;
      const { observation, isError } = environment.step(initial, read);
      const answer = isError ? null : parse(observation);
      answers.set(key, answer);
      return answer;
    },
    records(collection) {
      const known = collections.get(collection);
      if (known !== undefined) return known;
      const source = initial.database.collections.get(collection) ?? new Map();
      const records = new Map(Array.from(source, ([id, record]) => [id, JSON.parse(record.json) as Json]));
      collections.set(collection, records);
      return records;
    },
  };
}

export const keyOf = ({ name, argumentsJson }: GoldenAction): string => `${name} ${argumentsJson}`;

export function call(name: string, args: Readonly<Record<string, unknown>>): GoldenAction {
  return { name, argumentsJson: JSON.stringify(args) };
}

function parse(observation: string): Json {
  try {
    return JSON.parse(observation) as Json;
  } catch {
    return observation;
  }
}
