// An airline wish in words.
import type { Random } from "#core/random-source.ts";
import type { Passenger } from "#environments/tau/airline/records.ts";
import { wish as agendaWish } from "#simulators/agenda.ts";
import type { WishWords } from "../domain.ts";
import { capital, type Person, type Said, sayBoth, you } from "../said.ts";
import { spokenDates } from "../spoken.ts";
import { type AirlineWish, type FlightChoice, type PaymentName, type TripName, tripNameOf, type WishOf } from "./wishes.ts";

const be = (person: Person): string => (person === "your" ? "you are" : "I am");

export function airlineWords(wish: AirlineWish, random: Random): WishWords {
  const { told, words, details } = sayBoth((person, variant) => say(wish, person, variant), random);
  return {
    ...told,
    unknown: unknownOf(tripNameOf(wish)),
    agenda: agendaWish(AGENDA_KINDS[wish.kind], {
      words,
      details,
      trip: agendaTrip(tripNameOf(wish)),
      reason: wish.kind === "cancel" ? wish.reason : null,
      payment: "payment" in wish ? (wish.payment.by === "id" ? wish.payment.id : wish.payment.source) : null,
      cabin: "cabin" in wish ? wish.cabin : null,
    }),
  };
}

const AGENDA_KINDS = {
  cancel: "cancel",
  "all-passengers": "passengers",
  passenger: "passengers",
  bags: "bags",
  cabin: "cabin",
  flight: "flight",
  certificate: "certificate",
  book: "book",
  fare: "other",
  paid: "other",
} as const;

/** A trip that is named by its airports or by its rank has no id that the user could give. */
function agendaTrip(name: TripName | null) {
  if (name?.by === "id") return { id: name.id, origin: "", destination: "", isKnownById: true };
  return name?.by === "route" ? { id: "", origin: name.origin, destination: name.destination, isKnownById: false } : null;
}

function unknownOf(name: TripName | null): string[] {
  if (name === null || name.by === "id") return [];
  const which = name.by === "route" ? `of the trip between ${name.origin} and ${name.destination}` : "of that trip, nor its airports";
  return [`You do not remember the reservation id ${which}.`];
}

function trip(name: TripName, person: Person): string {
  switch (name.by) {
    case "id":
      return `reservation ${name.id}`;
    case "route":
      return `${person} trip from ${name.origin} to ${name.destination}`;
    case "most-paid":
      return `the one of all ${person} trips that cost the most`;
    case "booked-last":
      return `the one of all ${person} trips that was booked most recently`;
    case "booked-first":
      return `the one of all ${person} trips that was booked the longest ago`;
  }
}

const payment = (name: PaymentName, person: Person): string =>
  name.by === "id" ? `${person} payment method ${name.id}` : `${person} only ${name.source === "gift_card" ? "gift card" : "credit card"}`;
const paying = (name: PaymentName, person: Person): string => `Payments and refunds go over ${payment(name, person)}.`;
const cabinName = (cabin: string): string => cabin.replace("_", " ");
const fullName = ({ first_name, last_name }: Pick<Passenger, "first_name" | "last_name">): string => `${first_name} ${last_name}`;
const born = (passenger: Passenger): string => `${fullName(passenger)}, born ${passenger.dob}`;
const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

function flightOf({ dates, preference }: FlightChoice): string {
  return dates.length === 1
    ? `the ${preference} direct flight on ${spokenDates(dates)}`
    : `the cheapest direct flight of all those on ${spokenDates(dates)}`;
}

/** `variant` 0 to 2 chooses the wording. */
function say(wish: AirlineWish, person: Person, variant: number): Said {
  switch (wish.kind) {
    case "cancel":
      return sayCancel(wish, person, variant);
    case "all-passengers":
      return {
        want:
          [
            `change who travels on reservation ${wish.tripId}`,
            `put other travellers on reservation ${wish.tripId}`,
            `have all passengers of reservation ${wish.tripId} replaced`,
          ][variant] ?? "",
        known: [`The new passengers, in this order: ${wish.passengers.map(born).join("; ")}.`],
      };
    case "passenger":
      return sayPassenger(wish, person, variant);
    case "bags":
      return sayBags(wish, person, variant);
    case "cabin":
      return sayCabin(wish, person, variant);
    case "flight":
      return sayFlight(wish, person, variant);
    case "certificate":
      return sayCertificate(wish, person, variant);
    case "book":
      return sayBook(wish, person, variant);
    case "fare":
      return sayFare(wish, variant);
    case "paid":
      return sayPaid(wish, person, variant);
  }
}

function sayCancel({ trip: name, reason }: WishOf<"cancel">, person: Person, variant: number): Said {
  const what = trip(name, person);
  const because = {
    "change of plan": `${person} plans have changed`,
    health: `${be(person)} not well enough to travel`,
    weather: "the weather makes the journey impossible",
  };
  return {
    want: [`cancel ${what}`, `give up ${what} and get the money back`, `have ${what} cancelled`][variant] ?? "",
    known: [`The reason is that ${because[reason]}.`],
  };
}

function sayPassenger({ trip: name, old, replacement }: WishOf<"passenger">, person: Person, variant: number): Said {
  const who = replacement === null ? `${person === "your" ? "yourself" : "me"}` : fullName(replacement);
  const what = trip(name, person);
  return {
    want:
      [
        `let ${who} travel instead of ${fullName(old)} on ${what}`,
        `replace ${fullName(old)} by ${who} on ${what}`,
        `give the seat of ${fullName(old)} on ${what} to ${who}`,
      ][variant] ?? "",
    known:
      replacement === null ? [`${capital(person)} date of birth is in ${person} profile.`] : [`The new passenger is ${born(replacement)}.`],
    conduct: ["Everybody else stays as booked."],
  };
}

function sayBags({ trip: name, added, payment: method, mustBeFree }: WishOf<"bags">, person: Person, variant: number): Said {
  const bags = plural(Math.abs(added), "checked bag");
  const what = trip(name, person);
  if (added < 0)
    return {
      want: [`take ${bags} off ${what}`, `have ${bags} fewer on ${what}`, `remove ${bags} from ${what}`][variant] ?? "",
      known: [paying(method, person)],
    };
  return {
    want: [`add ${bags} to ${what}`, `take ${bags} more along on ${what}`, `have ${bags} more on ${what}`][variant] ?? "",
    known: [paying(method, person)],
    conduct: mustBeFree ? [`All of these bags must be free: if even one of them costs money, ${you(person)} want none of them.`] : [],
  };
}

function sayCabin(wish: WishOf<"cabin">, person: Person, variant: number): Said {
  const what = trip(wish.trip, person);
  const cabin = cabinName(wish.cabin);
  const where = wish.isFirstFlightOnly ? `only the first flight of ${what}` : what;
  return {
    want: [`change ${where} to ${cabin}`, `fly ${cabin} class on ${where}`, `have ${where} moved to ${cabin} class`][variant] ?? "",
    known: [paying(wish.payment, person)],
    conduct: [
      ...(wish.isFirstFlightOnly ? ["The other flights must stay in the cabin they are in."] : ["The flights themselves stay the same."]),
      ...(wish.budget === null
        ? []
        : [`If the change costs more than ${wish.budget} dollars in total for everybody, ${you(person)} leave the trip as it is.`]),
    ],
  };
}

function sayFlight({ trip: name, choice, payment: method }: WishOf<"flight">, person: Person, variant: number): Said {
  const what = trip(name, person);
  const flight = flightOf(choice);
  return {
    want:
      [`move ${what} to ${flight}`, `fly on another day with ${what}, namely on ${flight}`, `rebook ${what} onto ${flight}`][variant] ?? "",
    known: [paying(method, person)],
    conduct: ["The cabin stays the same."],
  };
}

function sayCertificate({ trip: name, flight }: WishOf<"certificate">, person: Person, variant: number): Said {
  const what = trip(name, person);
  return {
    want: [`be compensated for ${what}`, `complain about ${what} and get a compensation`, `get a compensation for ${what}`][variant] ?? "",
    known: [`The airline cancelled flight ${flight.flight_number} of it on ${spokenDates([flight.date])}.`],
    conduct: [`${capital(you(person))} want no other change to the trip.`],
  };
}

function sayBook(wish: WishOf<"book">, person: Person, variant: number): Said {
  const { origin, destination, cabin, choice, birthday, companions } = wish;
  const flight = `${flightOf(choice)}, one way from ${origin} to ${destination} in ${cabinName(cabin)}`;
  const party = companions.length === 0 ? "" : `, all ${companions.length + 1} passengers in one reservation`;
  return {
    want: [`book ${flight}${party}`, `get a ticket for ${flight}${party}`, `travel on ${flight}${party}`][variant] ?? "",
    known: [
      birthday === null ? `${capital(person)} date of birth is in ${person} profile.` : `${capital(person)} date of birth is ${birthday}.`,
      ...(companions.length === 0 ? [`${capital(you(person))} travel alone.`] : [`The others are ${companions.map(born).join("; ")}.`]),
      `${capital(you(person))} pay everything with ${payment(wish.payment, person)}.`,
    ],
    conduct: [`${capital(you(person))} have no bags to check and need no insurance.`],
  };
}

function sayFare({ origin, destination, cabin, dates }: WishOf<"fare">, variant: number): Said {
  const days = spokenDates(dates);
  const what = `the lowest ${cabinName(cabin)} fare of a direct flight from ${origin} to ${destination} on ${days}`;
  return { want: [`know ${what}`, `find out ${what}`, `be told ${what}`][variant] ?? "", conduct: ["Nothing is to be booked or changed."] };
}

function sayPaid({ trip: name }: WishOf<"paid">, person: Person, variant: number): Said {
  const what = name === null ? `for all ${person} trips together` : `for ${trip(name, person)}`;
  const paid = `how much ${you(person)} have paid ${what} in total`;
  return { want: [`know ${paid}`, `find out ${paid}`, `be told ${paid}`][variant] ?? "", conduct: ["Nothing is to be booked or changed."] };
}
