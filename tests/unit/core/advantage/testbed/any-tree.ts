// Decision trees of any shape, small enough that all groups can be walked.
import fc from "fast-check";
import type { Choice, Decision } from "#core/advantage/testbed/decision-tree.ts";

const DEPTH = 3;

function decision(depth: number): fc.Arbitrary<Decision> {
  return fc.record({
    observation: fc.constantFrom("start", "some flight", "other flight"),
    choices: fc.array(choice(depth), { minLength: 1, maxLength: 2 }),
  });
}

function choice(depth: number): fc.Arbitrary<Choice> {
  const end = fc.constantFrom(0, 0.3, 1);
  return fc.record({
    action: fc.constantFrom("get", "put"),
    logit: fc.constantFrom(-1, 0, 0.5),
    reward: fc.constantFrom(-0.5, 0, 0.3, 1),
    next: depth === 1 ? end : fc.oneof(end, decision(depth - 1)),
  });
}

export const anyTree = decision(DEPTH);
