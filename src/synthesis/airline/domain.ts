// The airline as a domain of the synthesis: tau-bench's and tau2's, over any database in their schema.

import { freeBagsEach } from "#environments/synthetic-airline/rules.ts";
import type { User } from "#environments/tau/airline/records.ts";
import type { Domain } from "../domain.ts";
import type { World } from "../world.ts";
import { airlineAlternatives } from "./alternatives.ts";
import { type AirlineRules, decideAirline } from "./policy.ts";
import { personOf, proposeAirline, routesOf } from "./proposals.ts";
import { type AirlineWish, tripNameOf } from "./wishes.ts";
import { airlineWords } from "./words.ts";

export const TAU_AIRLINE_RULES: AirlineRules = { freeBagsEach, hasFlightStatus: false };
/** tau2 gives gold members a fourth free bag in business and a tool for the status of flights. */
export const TAU2_AIRLINE_RULES: AirlineRules = {
  freeBagsEach: (membership, cabin) => (membership === "gold" && cabin === "business" ? 4 : freeBagsEach(membership, cabin)),
  hasFlightStatus: true,
};

export function airlineDomain(world: World, rules: AirlineRules): Domain<AirlineWish> {
  const routes = routesOf(world);
  return {
    name: "airline",
    identify(userId) {
      const { name } = world.records("users").get(userId) as unknown as User;
      return {
        firstName: name.first_name,
        lastName: name.last_name,
        proof: `your user id is ${userId}`,
        spokenId: userId,
      };
    },
    decide: (wish, reader) => decideAirline(rules, wish, reader),
    alternatives: airlineAlternatives(world),
    propose: (userId, { purpose, numReads }, random) =>
      proposeAirline({ person: personOf(world, userId), world, routes, numReads, random }, purpose),
    kindOf: ({ kind }) => kind,
    words: (wish, _identity, random) => airlineWords(wish, random),
    isEntangled: (left, right) =>
      (left.decision.record === right.decision.record && !areIndependent(left.wish, right.wish)) ||
      gives(left.wish, right.wish) ||
      gives(right.wish, left.wish),
  };
}

/**
 * On one trip, named in one way, who travels is independent of bags, cabin and day; everything else is not: a cabin decides about bags, a
 * cancellation about all.
 */
function areIndependent(left: AirlineWish, right: AirlineWish): boolean {
  const others = new Set(["bags", "cabin", "flight"]);
  const isPassengers = ({ kind }: AirlineWish) => kind === "passenger" || kind === "all-passengers";
  const isSameName = JSON.stringify(tripNameOf(left)) === JSON.stringify(tripNameOf(right));
  return isSameName && ((isPassengers(left) && others.has(right.kind)) || (isPassengers(right) && others.has(left.kind)));
}

/** True when one wish tells what the other leaves to be read: the id of a payment method, or a date of birth. */
function gives(telling: AirlineWish, asking: AirlineWish): boolean {
  const told = "payment" in telling && telling.payment.by === "id" ? telling.payment.id : null;
  const asked = "payment" in asking && asking.payment.by === "source" ? asking.payment.source : null;
  const tellsBirthday = telling.kind === "book" && telling.birthday !== null;
  const asksBirthday = (asking.kind === "book" && asking.birthday === null) || (asking.kind === "passenger" && asking.replacement === null);
  return (asked !== null && told?.startsWith(asked) === true) || (tellsBirthday && asksBirthday);
}
