// The same rollout in several sources counts once. Equal rollouts inside one source are trials that went alike, and all of them count: of
// each content there are as many rollouts as the source with the most of them has.
import { type Known, unify } from "./task-identity.ts";

export interface Countable {
  /** Which of the sources it is from. */
  readonly source: number;
  /** Equal for equal rollouts of one task. */
  readonly content: string;
  /** What is known of who made it and how: policy and seed. Rollouts that differ here are different rollouts. */
  readonly maker: Known;
}

/** The positions of the rollouts that count, in order. `prefer` is a comparator: of two sources that serve equally, the first is taken. */
export function countOnce<Rollout extends Countable>(
  rollouts: readonly Rollout[],
  prefer: (a: Rollout, b: Rollout) => number,
): Set<number> {
  const byContent = Map.groupBy(rollouts.keys(), (position) => (rollouts[position] as Rollout).content);
  return new Set([...byContent.values()].flatMap((positions) => countAlike(positions, rollouts, prefer)));
}

/** Of rollouts of one content: those of each maker that is known, then as many of unknown makers as are missing to the fullest source. */
function countAlike<Rollout extends Countable>(
  positions: readonly number[],
  rollouts: readonly Rollout[],
  prefer: (a: Rollout, b: Rollout) => number,
): number[] {
  if (positions.length === 1) return [...positions];
  const sorted = [...positions].sort((a, b) => prefer(rollouts[a] as Rollout, rollouts[b] as Rollout) || a - b);
  const { classOf, undecided } = unify(sorted.map((position) => ({ known: (rollouts[position] as Rollout).maker, evidence: NO_EVIDENCE })));
  const isOpen = (at: number) => undecided.has(at);
  const places = [...sorted.keys()];
  const certain = Map.groupBy(
    places.filter((at) => !isOpen(at)),
    (at) => classOf[at],
  );
  const sourceOf = (at: number) => (rollouts[sorted[at] as number] as Rollout).source;
  const kept = [...certain.values()].flatMap((members) => fullest(members, sourceOf));
  const whole = fullest(places, sourceOf);
  const fill = whole.filter(isOpen).slice(0, Math.max(0, whole.length - kept.length));
  return [...kept, ...fill].map((at) => sorted[at] as number);
}

const NO_EVIDENCE: ReadonlySet<string> = new Set();

/** The members of the source that has the most of them; of equals, of the one that comes first. */
function fullest(members: readonly number[], sourceOf: (member: number) => number): number[] {
  const all = [...Map.groupBy(members, sourceOf).values()];
  return all.reduce((best, one) => (one.length > best.length ? one : best), []);
}
