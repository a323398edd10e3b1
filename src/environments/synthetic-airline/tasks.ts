// Tasks of the synthetic airline: a user of one split, one or two wishes, golden actions that are replayed before a task is kept.
import type { GoldenTask } from "#contracts/task.ts";
import type { Environment } from "#core/environment/environment.ts";
import { type Random, randomFrom } from "#core/random-source.ts";
import type { Agenda } from "#simulators/agenda.ts";
import type { AirlineRecords } from "../tau/airline/records.ts";
import { instructionOf } from "./instruction.ts";
import { type DraftedWish, draftWish, type WishKind } from "./wishes.ts";

export type Split = "sft" | "train" | "evaluation";
const SPLIT_SIZES: Readonly<Record<Split, number>> = { sft: 200, train: 180, evaluation: 120 };

/** How many of eleven tasks are of a kind, and how often a wish of that kind is against the policy. */
const KINDS: Readonly<Record<WishKind, { readonly count: number; readonly refused: number }>> = {
  cancel: { count: 3, refused: 0.3 },
  bags: { count: 2, refused: 0.1 },
  cabin: { count: 2, refused: 0.1 },
  flight: { count: 2, refused: 0.2 },
  certificate: { count: 2, refused: 0.25 },
};
const DECK = (Object.keys(KINDS) as WishKind[]).flatMap((kind) => Array.from({ length: KINDS[kind].count }, () => kind));
const TWO_WISHES = 0.2;
const MAX_ATTEMPTS = 10_000;
const MAX_SECOND_ATTEMPTS = 50;

export interface TaskSource<State> {
  readonly seed: number;
  readonly records: AirlineRecords;
  readonly environment: Environment<State>;
  /** User ids by split. */
  readonly users: Readonly<Record<Split, readonly string[]>>;
}

/** Users by split, disjoint, in random order. */
export function splitUsers(seed: number, records: AirlineRecords): Record<Split, string[]> {
  const users = randomFrom(seed, "splits").shuffle([...records.users.keys()]);
  const { sft, train } = SPLIT_SIZES;
  return { sft: users.slice(0, sft), train: users.slice(sft, sft + train), evaluation: users.slice(sft + train) };
}

/**
 * Task `index` of a split: the same for the same seed, whatever other tasks are made. Any index >= 0; kinds are balanced over every
 * eleven tasks. Throws when the airline has no such task, which would be a defect of the generator.
 */
export function generateTask<State>(source: TaskSource<State>, split: Split, index: number): GoldenTask {
  const deck = randomFrom(source.seed, "deck", split, Math.floor(index / DECK.length)).shuffle(DECK);
  const kind = deck[index % DECK.length] as WishKind;
  const random = randomFrom(source.seed, "task", split, index);
  const isRefused = random.chance(KINDS[kind].refused);
  const hasTwoWishes = random.chance(TWO_WISHES);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const userId = random.pick(source.users[split]);
    const first = draftWish({ kind, isRefused, userId, records: source.records, random, otherThan: null });
    if (first === null) continue;
    const drafts = hasTwoWishes ? [first, secondWish(source, userId, first, random)] : [first];
    if (!drafts.every((draft) => draft !== null)) continue;
    const task = taskOf(`${split}-${String(index).padStart(4, "0")}`, userId, drafts, random);
    if (isReplayable(source.environment, task)) return task;
  }
  throw new Error(`no ${kind} task ${split} ${index} in ${MAX_ATTEMPTS} attempts with seed ${source.seed}`);
}

function secondWish(source: TaskSource<unknown>, userId: string, first: DraftedWish, random: Random): DraftedWish | null {
  for (let attempt = 0; attempt < MAX_SECOND_ATTEMPTS; attempt++) {
    const kind = random.pick(DECK);
    const isRefused = random.chance(KINDS[kind].refused);
    const second = draftWish({ kind, isRefused, userId, records: source.records, random, otherThan: first.wish.trip?.id ?? null });
    if (second !== null) return second;
  }
  return null;
}

function taskOf(id: string, userId: string, drafts: readonly DraftedWish[], random: Random): GoldenTask {
  const agenda: Agenda = { userId, opensWithUserId: random.chance(0.5), wishes: drafts.map(({ wish }) => wish) };
  return {
    schemaVersion: 1,
    id,
    environment: "airline",
    userId,
    instruction: instructionOf(agenda),
    goldenActions: [
      { name: "get_user_details", argumentsJson: JSON.stringify({ user_id: userId }) },
      ...drafts.flatMap(({ actions }) => actions),
    ],
    outputs: [],
    agenda,
    kind: drafts.length > 1 ? "two-wishes" : (drafts[0] as DraftedWish).wish.kind,
    difficulty: {
      numWrites: drafts.filter(({ isGranted }) => isGranted).length,
      numReads: 1 + drafts.reduce((sum, { numReads }) => sum + numReads, 0),
    },
  };
}

/** No golden call fails, and the database changes exactly when one of them is a granted wish. */
function isReplayable<State>(environment: Environment<State>, task: GoldenTask): boolean {
  let state = environment.reset();
  const initial = environment.stateHash(state);
  for (const action of task.goldenActions) {
    const result = environment.step(state, action);
    if (result.isError) return false;
    state = result.state;
  }
  return (environment.stateHash(state) !== initial) === task.difficulty.numWrites > 0;
}
