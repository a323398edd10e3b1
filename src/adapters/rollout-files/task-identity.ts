// Which tasks of several sources are one task. Ids are counted from 0 in every benchmark, so they say little: two tasks of one id are the
// same when nothing that is known of both differs.
import type { Task } from "#contracts/task.ts";
import { parseJson } from "#environments/tau/python/parse-json.ts";
import { isDict } from "#environments/tau/python/values.ts";
import { canonicalText, composed } from "./canonical-text.ts";

/** What is known of something, as text by aspect. What is not known is absent. */
export type Known = Readonly<Record<string, string>>;

/** True when nothing that both know differs. */
export function agree(a: Known, b: Known): boolean {
  return Object.entries(a).every(([aspect, text]) => (b[aspect] ?? text) === text);
}

/** As a source tells it: null and "" are not known. */
export interface ToldContent extends Pick<Task, "instruction" | "userId"> {
  readonly goldenActions: Task["goldenActions"] | null;
  readonly outputs: Task["outputs"] | null;
}

/** `taskSet` as the source names it, `more` what else it tells of the task. */
export function taskContent({ instruction, userId, goldenActions, outputs }: ToldContent, taskSet: string | null, more: Known = {}): Known {
  return {
    ...more,
    ...(taskSet === null ? {} : { taskSet }),
    ...(instruction === "" ? {} : { instruction: composed(instruction) }),
    ...(userId === null || userId === "" ? {} : { userId: composed(userId) }),
    ...(goldenActions === null
      ? {}
      : { goldenActions: JSON.stringify(goldenActions.map(({ name, argumentsJson }) => [name, canonicalArguments(argumentsJson)])) }),
    ...(outputs === null ? {} : { outputs: composed(JSON.stringify(outputs)) }),
  };
}

/** Arguments as one text for all ways to write them. Text that is no object is the same as none, as exports have it. */
export function canonicalArguments(text: string): string {
  try {
    const value = parseJson(text, { hasNonFinite: true });
    return isDict(value) ? canonicalText(value) : "{}";
  } catch {
    return "{}";
  }
}

/** One description of a task, and what hints at its likes where the description does not decide. */
export interface Candidate {
  readonly known: Known;
  /** Hashes of conversations that were had on it. */
  readonly evidence: ReadonlySet<string>;
}

export interface Unified {
  /** Of each candidate the number of its class. */
  readonly classOf: number[];
  /** Of each class all that its members know. */
  readonly known: Known[];
  /** Candidates that fit several classes which contradict each other, and that no evidence decided: each is a class of its own. */
  readonly undecided: ReadonlySet<number>;
}

/**
 * Which candidates are the same. Two that agree are, unless one of them agrees with two that contradict each other: then the one class
 * decides that shares evidence with it. Does not depend on the order of the candidates.
 */
export function unify(candidates: readonly Candidate[]): Unified {
  const kinds = kindsOf(candidates);
  const likes = kinds.map(({ known }) => kinds.flatMap((other, j) => (agree(known, other.known) ? [j] : [])));
  const isAmbiguous = likes.map((all) => all.some((j) => all.some((k) => j < k && !agree(known(j), known(k)))));
  /** Kinds are in the order of their first members, and so are the candidates that classes are numbered by. */
  const head = kinds.map((_, i) => (isAmbiguous[i] ? null : firstMember((likes[i] as number[]).find((j) => !isAmbiguous[j]) as number)));
  const undecided = new Set<number>();
  const heads = candidates.map(() => 0);
  for (const [i, { members }] of kinds.entries())
    for (const member of members) heads[member] = head[i] ?? decide(member, i) ?? alone(member, i);
  const classes = [...new Set(heads)];
  const numberOf = new Map(classes.map((one, number) => [one, number]));
  const knownOf = Map.groupBy(candidates.keys(), (position) => heads[position]);
  return {
    classOf: heads.map((one) => numberOf.get(one) as number),
    known: classes.map((one) => Object.assign({}, ...(knownOf.get(one) ?? []).map((position) => candidates[position]?.known))),
    undecided,
  };

  function known(i: number): Known {
    return (kinds[i] as Kind).known;
  }
  function firstMember(i: number): number {
    return (kinds[i] as Kind).members[0] as number;
  }
  function decide(member: number, kind: number): number | null {
    const evidence = [...(candidates[member] as Candidate).evidence];
    const shares = (j: number) => evidence.some((one) => kinds[j]?.evidence.has(one));
    const shared = (likes[kind] as number[]).filter((j) => head[j] !== null && shares(j));
    const found = new Set(shared.map((j) => head[j] as number));
    return found.size === 1 ? ([...found][0] as number) : null;
  }
  function alone(member: number, kind: number): number {
    undecided.add(member);
    return firstMember(kind);
  }
}

/** Candidates of one description: there are few descriptions, and there may be very many candidates. */
interface Kind {
  readonly known: Known;
  readonly members: number[];
  /** Of all members. */
  readonly evidence: ReadonlySet<string>;
}

function kindsOf(candidates: readonly Candidate[]): Kind[] {
  const same = Map.groupBy(candidates.keys(), (position) => canonicalKnown((candidates[position] as Candidate).known));
  return Array.from(same.values(), (members) => ({
    known: (candidates[members[0] as number] as Candidate).known,
    members,
    evidence: new Set(members.flatMap((member) => [...(candidates[member] as Candidate).evidence])),
  }));
}

/** One text for equal knowledge. */
export function canonicalKnown(known: Known): string {
  return JSON.stringify(Object.entries(known).sort(([a], [b]) => (a < b ? -1 : 1)));
}
