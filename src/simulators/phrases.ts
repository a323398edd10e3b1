// How a scripted user says things: a few ways for each act, chosen by the random source.
import type { Random } from "#core/random-source.ts";
import type { Topic } from "#core/rollout/hear.ts";
import type { Agenda, Wish } from "./agenda.ts";

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const PAYMENTS: Readonly<Record<string, string>> = { credit_card: "credit card", gift_card: "gift card", certificate: "certificate" };

export const STOP = "###STOP###";

/** The wish as a request, e.g. "I want to cancel my trip from SFO to JFK." */
function request(wish: Wish, random: Random): string {
  if (wish.words !== null) return wish.words;
  const trip = tripName(wish);
  switch (wish.kind) {
    case "cancel":
      return random.pick([`I want to cancel ${trip}.`, `Please cancel ${trip}.`, `I need to cancel ${trip}.`]);
    case "bags":
      return bagsRequest(wish.bags ?? 1, trip, random);
    case "cabin":
      return cabinRequest(wish, trip, random);
    case "flight":
      return flightRequest(wish, trip, random);
    case "certificate":
      return random.pick([
        `The flight of ${trip} was cancelled and I want compensation.`,
        `My flight was cancelled, ${trip}. I want a compensation for it.`,
        `I want compensation. The airline cancelled my flight of ${trip}.`,
      ]);
    default:
      return wish.details ?? "I need help with my reservation.";
  }
}

function tripName({ trip }: Wish): string {
  if (trip === null) return "my trip";
  return trip.isKnownById ? `reservation ${trip.id}` : `my trip from ${trip.origin} to ${trip.destination}`;
}

function bagsRequest(bags: number, trip: string, random: Random): string {
  const count = `${Math.abs(bags)} bag${Math.abs(bags) === 1 ? "" : "s"}`;
  if (bags < 0) return random.pick([`I want to remove ${count} from ${trip}.`, `Please take ${count} off ${trip}.`]);
  return random.pick([`I want to add ${count} to ${trip}.`, `Please add ${count} to ${trip}.`, `I have ${count} more for ${trip}.`]);
}

function cabinRequest({ cabin, isOneSegmentOnly }: Wish, trip: string, random: Random): string {
  const to = (cabin ?? "economy").replace("_", " ");
  if (isOneSegmentOnly)
    return random.pick([`I want ${to} for only the first flight of ${trip}.`, `Please change only one flight of ${trip} to ${to}.`]);
  return random.pick([
    `I want to change ${trip} to ${to}.`,
    `Please change the cabin of ${trip} to ${to}.`,
    `I want ${to} class for ${trip}.`,
  ]);
}

function flightRequest({ date, time }: Wish, trip: string, random: Random): string {
  const day = date === null ? "another day" : spokenDate(date);
  const flight = time === null ? "" : `, the ${time} flight`;
  return random.pick([
    `I want to move ${trip} to ${day}${flight}.`,
    `Please change ${trip} to ${day}${flight}.`,
    `I want to fly on ${day} instead, ${trip}${flight}.`,
  ]);
}

/** "2024-05-22" -> "May 22" */
function spokenDate(date: string): string {
  const [, month, day] = date.split("-").map(Number);
  return `${MONTHS[(month ?? 1) - 1]} ${day}`;
}

/** The answer to a question about one topic. */
export function answer(topic: Topic, wish: Wish, agenda: Agenda, random: Random): string {
  const unknown = random.pick(["I do not know.", "I am not sure."]);
  switch (topic) {
    case "user-id":
      if (agenda.userId === null) return "I have no user id.";
      return random.pick([`It is ${agenda.userId}.`, `My user id is ${agenda.userId}.`, `Sure, ${agenda.userId}.`]);
    case "trip":
      return tripAnswer(wish, random);
    case "reason":
      return reasonAnswer(wish, random) ?? wish.details ?? unknown;
    case "payment":
      return wish.payment === null ? random.pick(["Any of them.", "You decide."]) : paymentAnswer(wish.payment, random);
    case "date":
      return wish.date === null
        ? (wish.details ?? unknown)
        : `On ${spokenDate(wish.date)}${wish.time === null ? "" : `, the ${wish.time} flight`}.`;
    case "cabin":
      return wish.cabin === null ? (wish.details ?? "The same cabin.") : `${wish.cabin.replace("_", " ")}, please.`;
    case "bags":
      return wish.bags === null ? (wish.details ?? "No bags.") : bagsRequest(wish.bags, tripName(wish), random);
    case "details":
      return wish.details ?? unknown;
  }
}

function tripAnswer({ trip, details }: Wish, random: Random): string {
  if (trip === null) return details ?? "I do not remember the reservation id.";
  if (trip.isKnownById) return random.pick([`It is ${trip.id}.`, `The reservation id is ${trip.id}.`]);
  return `I do not remember the id, it is the trip from ${trip.origin} to ${trip.destination}.`;
}

function reasonAnswer({ reason }: Wish, random: Random): string | null {
  switch (reason) {
    case "health":
      return random.pick(["I am sick.", "For health reasons.", "I feel unwell."]);
    case "weather":
      return random.pick(["The weather is bad.", "Because of the weather."]);
    case "change of plan":
      return random.pick(["A change of plan.", "My plans changed.", "I no longer need it."]);
    case null:
      return null;
  }
}

function paymentAnswer(payment: string, random: Random): string {
  const method = PAYMENTS[payment];
  if (method === undefined) return `Please use ${payment}.`;
  return random.pick([`My ${method}.`, `Use my ${method}.`, `The ${method}, please.`]);
}

export const opening = (agenda: Agenda, wish: Wish, random: Random): string => {
  const greeting = random.pick(["Hi.", "Hello.", "Hi there."]);
  const identity = agenda.opensWithUserId ? ` ${random.pick([`I am ${agenda.userId}.`, `My user id is ${agenda.userId}.`])}` : "";
  return `${greeting}${identity} ${request(wish, random)}`;
};
export const agree = (random: Random): string => random.pick(["Yes.", "Yes, please.", "Yes, go ahead."]);
export const insist = (random: Random): string =>
  random.pick(["Are you sure? Please try again.", "Please make an exception.", "I do not agree. Please check again."]);
export const next = (wish: Wish, random: Random): string =>
  `${random.pick(["Yes.", "Thanks.", "I also have another wish."])} ${request(wish, random)}`;
export const repeat = (wish: Wish, random: Random): string =>
  `${random.pick(["Sorry, what do you mean?", "I do not understand."])} ${request(wish, random)}`;
export const goodbye = (random: Random): string =>
  `${random.pick(["No, that is all, thank you.", "Thank you, bye.", "That is all."])} ${STOP}`;
export const giveUp = (): string => `I will call again later. ${STOP}`;
