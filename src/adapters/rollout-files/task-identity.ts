// Which tasks of several sources are one task. Ids are counted from 0 in every benchmark, so they say little: two tasks of one id are the
// same when nothing that is known of both differs.
import type { Task } from "#contracts/task.ts";
import { parseJson } from "#environments/tau/python/parse-json.ts";
import { isDict } from "#environments/tau/python/values.ts";
import { canonicalText } from "./canonical-text.ts";

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
    ...(instruction === "" ? {} : { instruction }),
    ...(userId === "" ? {} : { userId }),
    ...(goldenActions === null
      ? {}
      : { goldenActions: JSON.stringify(goldenActions.map(({ name, argumentsJson }) => [name, canonicalArguments(argumentsJson)])) }),
    ...(outputs === null ? {} : { outputs: JSON.stringify(outputs) }),
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
  const likes = candidates.map(({ known }) => candidates.flatMap((other, j) => (agree(known, other.known) ? [j] : [])));
  const isAmbiguous = likes.map((all) => all.some((j) => all.some((k) => j < k && !agree(known(j), known(k)))));
  const first = (i: number) => (likes[i] as number[]).find((j) => !isAmbiguous[j]) as number;
  const head = candidates.map((_, i) => (isAmbiguous[i] ? null : first(i)));
  const undecided = new Set<number>();
  const heads = head.map((found, i) => found ?? decide(i) ?? alone(i));
  const classes = [...new Set(heads)];
  return {
    classOf: heads.map((one) => classes.indexOf(one)),
    known: classes.map((one) => Object.assign({}, ...candidates.flatMap((candidate, i) => (heads[i] === one ? [candidate.known] : [])))),
    undecided,
  };

  function known(i: number): Known {
    return (candidates[i] as Candidate).known;
  }
  function decide(i: number): number | null {
    const { evidence } = candidates[i] as Candidate;
    const shares = (j: number) => [...(candidates[j] as Candidate).evidence].some((one) => evidence.has(one));
    const shared = (likes[i] as number[]).filter((j) => head[j] !== null && shares(j));
    const found = new Set(shared.map((j) => head[j] as number));
    return found.size === 1 ? ([...found][0] as number) : null;
  }
  function alone(i: number): number {
    undecided.add(i);
    return (likes[i] as number[]).find((j) => isAmbiguous[j] && sameText(known(i), known(j))) ?? i;
  }
}

const sameText = (a: Known, b: Known) => canonicalKnown(a) === canonicalKnown(b);

/** One text for equal knowledge. */
export function canonicalKnown(known: Known): string {
  return JSON.stringify(Object.entries(known).sort(([a], [b]) => (a < b ? -1 : 1)));
}
