// A decision: what a correct agent does about one wish. It is computed by a domain's policy from the records that it reads.
import type { GoldenAction } from "#contracts/task.ts";
import type { Json, Read } from "./world.ts";

/** Where the policy reads. What it reads is what the decision rests on; what it peeks at is not. */
export interface DatabaseReader {
  /** Throws Undecidable for an answer that is an error. */
  read(read: Read): Json;
  /** Null for an error, and where the answer may not be used. */
  peek(read: Read): Json;
}

export type Decision =
  | { readonly type: "write"; readonly record: string; readonly call: GoldenAction }
  /** `forbidden` is the write of an agent that gives in. It may need reads that the decision itself does not rest on. */
  | { readonly type: "withhold"; readonly record: string; readonly rule: string; readonly forbidden: () => GoldenAction }
  | { readonly type: "answer"; readonly record: string; readonly outputs: readonly string[] };
export type Purpose = Decision["type"];

/** The wish fits no record, or several: there is no right decision. */
export class Undecidable extends Error {
  override readonly name = "Undecidable";
}

/** Equal texts, equal decisions: another write, another answer, or a refusal about another record or for another reason differ. */
export function decisionText(decision: Decision): string {
  switch (decision.type) {
    case "write":
      return JSON.stringify(["write", decision.call.name, decision.call.argumentsJson]);
    case "withhold":
      return JSON.stringify(["withhold", decision.record, decision.rule]);
    case "answer":
      return JSON.stringify(["answer", ...decision.outputs]);
  }
}

/** The one item that fits. Throws Undecidable when none or several do. */
export function theOnly<Item>(items: readonly Item[], what: string): Item {
  const [first, ...others] = items;
  if (first === undefined || others.length > 0) throw new Undecidable(`${items.length} fit: ${what}`);
  return first;
}

/** The one item with the largest value. Throws Undecidable when there is none or a tie. */
export function theMost<Item>(items: readonly Item[], rank: (item: Item) => number | string, what: string): Item {
  return theFirst(
    items.toSorted((left, right) => compare(rank(right), rank(left))),
    rank,
    what,
  );
}

/** The one item with the smallest value. Throws Undecidable when there is none or a tie. */
export function theLeast<Item>(items: readonly Item[], rank: (item: Item) => number | string, what: string): Item {
  return theFirst(
    items.toSorted((left, right) => compare(rank(left), rank(right))),
    rank,
    what,
  );
}

function theFirst<Item>([first, second]: readonly Item[], rank: (item: Item) => number | string, what: string): Item {
  if (first === undefined) throw new Undecidable(`none: ${what}`);
  if (second !== undefined && rank(first) === rank(second)) throw new Undecidable(`a tie: ${what}`);
  return first;
}

const compare = (left: number | string, right: number | string): number => (left < right ? -1 : left > right ? 1 : 0);
