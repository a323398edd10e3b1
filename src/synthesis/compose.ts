// One task of a cell for one user: wishes whose decisions each need exactly the wanted evidence, and that leave each other alone.
import type { GoldenAction } from "#contracts/task.ts";
import type { Random } from "#core/random-source.ts";
import type { DatabaseState } from "#environments/tau/database.ts";
import { type Decision, decisionText, type Purpose, Undecidable } from "./decision.ts";
import type { Domain } from "./domain.ts";
import { ground, isExactEvidence } from "./evidence.ts";
import { searchWrites } from "./uniqueness.ts";
import { createWorld, keyOf, type Read, type World } from "./world.ts";

/** A wish with its decision, the decision's evidence, and for a withheld write what giving in would do. */
export interface Draft<Wish> {
  readonly wish: Wish;
  readonly decision: Decision;
  readonly evidence: readonly Read[];
  readonly forbidden: GoldenAction | null;
}

export interface CellRequest {
  readonly writes: number;
  readonly evidence: number;
  /** A withheld write is among the wishes; a cell without writes has either that or a question. */
  readonly hasRefusal: boolean;
}

export interface Composition<Wish> {
  /** In the order of the conversation; null when this user has no such task. */
  readonly drafts: readonly Draft<Wish>[] | null;
  /** The wishes were there, but a check of their writes together refused them. */
  readonly isRejected: boolean;
}

/** Compositions of one user that are tried before the user is given up. */
const MAX_ATTEMPTS = 3;

/** Wishes of one user that make a task of the cell. */
export function composeDrafts<Wish>(
  world: World,
  domain: Domain<Wish>,
  userId: string,
  request: CellRequest,
  random: Random,
): Composition<Wish> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const chosen = chooseDrafts(world, domain, userId, request, random);
    if (chosen === null) return { drafts: null, isRejected: attempt > 0 };
    if (isSound(world, domain, chosen)) return { drafts: random.shuffle(chosen), isRejected: false };
  }
  return { drafts: null, isRejected: true };
}

/** The first drafts that leave each other alone: the writes, then what must be refused or answered. */
function chooseDrafts<Wish>(
  world: World,
  domain: Domain<Wish>,
  userId: string,
  { writes, evidence, hasRefusal }: CellRequest,
  random: Random,
): readonly Draft<Wish>[] | null {
  const chosen: Draft<Wish>[] = [];
  const take = (purpose: Purpose, count: number): boolean => {
    const wanted = chosen.length + count;
    if (count === 0) return true;
    for (const draft of draftsOf(world, domain, userId, purpose, evidence, random)) {
      if (chosen.some((other) => domain.isEntangled(other, draft))) continue;
      chosen.push(draft);
      if (chosen.length === wanted) return true;
    }
    return false;
  };
  const isComplete = take("write", writes) && take(hasRefusal ? "withhold" : "answer", hasRefusal || writes === 0 ? 1 : 0);
  return isComplete ? chosen : null;
}

/** Drafts of a purpose whose evidence is exact and has the wanted size. */
function* draftsOf<Wish>(
  world: World,
  domain: Domain<Wish>,
  userId: string,
  purpose: Purpose,
  numReads: number,
  random: Random,
): Generator<Draft<Wish>> {
  for (const wish of domain.propose(userId, { purpose, numReads }, random)) {
    const decide = (reader: Parameters<typeof domain.decide>[1]) => domain.decide(wish, reader);
    const grounded = ground(world, decide);
    if (grounded === null || grounded.decision.type !== purpose || grounded.evidence.length !== numReads) continue;
    const forbidden = forbiddenOf(grounded.decision);
    if (purpose === "withhold" && (forbidden === null || !changes(world, world.environment.reset(), forbidden))) continue;
    if (!isTelling(grounded.decision)) continue;
    if (isExactEvidence(world, decide, grounded, domain.alternatives)) yield { wish, ...grounded, forbidden };
  }
}

function forbiddenOf(decision: Decision): GoldenAction | null {
  if (decision.type !== "withhold") return null;
  try {
    return decision.forbidden();
  } catch (error) {
    if (error instanceof Undecidable) return null;
    throw error;
  }
}

/** True when a call succeeds and leaves another database. */
function changes({ environment }: World, before: DatabaseState, write: GoldenAction): boolean {
  const { state, isError } = environment.step(before, write);
  return !isError && environment.stateHash(state) !== environment.stateHash(before);
}

/** An output of one or two characters would be found in almost any reply. */
const SHORTEST_OUTPUT = 3;
const isTelling = (decision: Decision): boolean =>
  decision.type !== "answer" || decision.outputs.every((output) => output.length >= SHORTEST_OUTPUT);

/**
 * The writes succeed in every order and lead to one database, none can be left out, and whichever of the other writes were made before,
 * every decision is right and giving in still changes the database.
 */
function isSound<Wish>(world: World, domain: Domain<Wish>, drafts: readonly Draft<Wish>[]): boolean {
  const search = searchWrites(world.environment, writesOf(drafts));
  if (search.hasFailure || !search.isOrderFree || !search.isShortest) return false;
  return drafts.every((draft) => {
    const text = decisionText(draft.decision);
    return subsetsOf(writesOf(drafts.filter((other) => other !== draft))).every((others) => {
      const state = others.reduce((before, write) => world.environment.step(before, write).state, world.environment.reset());
      const after = ground(worldAt(world, state), (reader) => domain.decide(draft.wish, reader));
      const isTempting = draft.forbidden === null || changes(world, state, draft.forbidden);
      return isTempting && after !== null && decisionText(after.decision) === text;
    });
  });
}

function subsetsOf<Item>(items: readonly Item[]): Item[][] {
  const [first, ...others] = items;
  if (first === undefined) return [[]];
  const without = subsetsOf(others);
  return without.concat(without.map((subset) => [first, ...subset]));
}

const worldAt = (world: World, state: DatabaseState): World => createWorld({ ...world.environment, reset: () => state });

export function writesOf<Wish>(drafts: readonly Draft<Wish>[]): GoldenAction[] {
  return drafts.flatMap(({ decision }) => (decision.type === "write" ? [decision.call] : []));
}

/** The evidence of each decision that was not read before, then its write. */
export function goldenActionsOf<Wish>(drafts: readonly Draft<Wish>[]): GoldenAction[] {
  const read = new Set<string>();
  return drafts.flatMap(({ decision, evidence }) => {
    const fresh = evidence.filter((one) => !read.has(keyOf(one)));
    for (const one of fresh) read.add(keyOf(one));
    return [...fresh, ...(decision.type === "write" ? [decision.call] : [])];
  });
}
