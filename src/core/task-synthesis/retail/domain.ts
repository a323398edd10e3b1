// The shop as a domain of the synthesis: tau-bench's retail, over any database in its schema.
import type { Domain } from "../domain.ts";
import type { World } from "../world.ts";
import { retailAlternatives } from "./alternatives.ts";
import { decideRetail } from "./policy.ts";
import { personOf, proposeRetail } from "./proposals.ts";
import type { RetailWish } from "./wishes.ts";
import { proofOf, retailWords } from "./words.ts";

export function retailDomain(world: World): Domain<RetailWish> {
  return {
    name: "retail",
    identify(userId) {
      const person = personOf(world, userId);
      if (person === null) return null;
      const { user, proof } = person;
      const spokenId = proof.by === "email" ? proof.email : `${user.name.first_name} ${user.name.last_name}, zip ${proof.zip}`;
      return { firstName: user.name.first_name, lastName: user.name.last_name, proof: proofOf(proof, "your"), spokenId };
    },
    decide: decideRetail,
    alternatives: retailAlternatives(world),
    *propose(userId, { purpose, numReads }, random) {
      const person = personOf(world, userId);
      if (person !== null) yield* proposeRetail({ person, world, numReads, random }, purpose);
    },
    kindOf: ({ kind }) => kind,
    words: (wish, _identity, random) => retailWords(wish, random),
    isEntangled: (left, right) => left.decision.record === right.decision.record && !areIndependent(left.wish, right.wish),
  };
}

/** Where an order goes and how it is paid are independent; everything else about one order is not. */
function areIndependent(left: RetailWish, right: RetailWish): boolean {
  const kinds = [left.kind, right.kind].sort().join(" ");
  return kinds === "order-address payment";
}
