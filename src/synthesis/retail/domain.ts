// The shop as a domain of the synthesis: tau-bench's retail, over any database in its schema.
import type { Domain } from "../domain.ts";
import type { World } from "../world.ts";
import { retailAlternatives } from "./alternatives.ts";
import { decideRetail } from "./policy.ts";
import { personOf, proposeRetail } from "./proposals.ts";
import type { PaymentName, RetailWish } from "./wishes.ts";
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
    isEntangled: (left, right) =>
      (left.decision.record === right.decision.record && !areIndependent(left.wish, right.wish)) ||
      gives(left.wish, right.wish) ||
      gives(right.wish, left.wish),
  };
}

/** Where an order goes and how it is paid are independent, where both name it in one way; everything else about one order is not. */
function areIndependent(left: RetailWish, right: RetailWish): boolean {
  const name = (wish: RetailWish) => JSON.stringify("order" in wish ? wish.order : null);
  return name(left) === name(right) && [left.kind, right.kind].sort().join(" ") === "order-address payment";
}

/** True when one wish tells the id of a payment method that the other leaves to be read. */
function gives(telling: RetailWish, asking: RetailWish): boolean {
  const [told, asked] = [paymentOf(telling), paymentOf(asking)];
  return told?.by === "id" && asked?.by === "source" && told.id.startsWith(asked.source);
}

function paymentOf(wish: RetailWish): PaymentName | null {
  if ("payment" in wish) return wish.payment;
  return "refund" in wish ? wish.refund : null;
}
