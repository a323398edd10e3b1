// The instruction of a generated task: what an LLM that plays the user is told, in the manner of tau-bench's instructions.
import type { Agenda, Wish } from "#simulators/agenda.ts";

/** The agenda as a paragraph in the second person. */
export function instructionOf({ userId, wishes }: Agenda): string {
  const sentences = wishes.map(
    (wish, index) => `${index === 0 ? "You want" : "After that, you want"} ${wantOf(wish)}.${knowledgeOf(wish)}`,
  );
  const insistence = wishes.some(({ insists }) => insists)
    ? " If the agent refuses, insist once, then accept."
    : " If the agent refuses, accept it.";
  return `Your user id is ${userId}. ${sentences.join(" ")}${insistence}`;
}

function wantOf(wish: Wish): string {
  const trip = `the trip from ${wish.trip?.origin} to ${wish.trip?.destination}`;
  switch (wish.kind) {
    case "cancel":
      return `to cancel ${trip}; if asked for the reason, it is ${wish.reason}`;
    case "bags":
      return `to ${(wish.bags ?? 0) < 0 ? "remove" : "add"} ${Math.abs(wish.bags ?? 0)} checked bags ${(wish.bags ?? 0) < 0 ? "from" : "to"} ${trip}${payment(wish)}`;
    case "cabin":
      return `${wish.cabin?.replace("_", " ")} class for ${wish.isOneSegmentOnly ? "only the first flight of " : ""}${trip}${payment(wish)}`;
    case "flight":
      return `to move ${trip} to ${wish.date}, the ${wish.time} flight of the day${payment(wish)}`;
    default:
      return `compensation because a flight of ${trip} was cancelled`;
  }
}

const payment = (wish: Wish): string => `; if asked, you pay with your ${wish.payment?.replace("_", " ")}`;
const knowledgeOf = ({ trip }: Wish): string =>
  trip?.isKnownById === true ? ` Its reservation id is ${trip.id}.` : " You do not remember the reservation id.";
