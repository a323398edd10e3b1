// Wishes of one airline user that are worth trying: every kind, every way to name a trip or a payment, drawn dates and people.

import type { Random } from "#core/random-source.ts";
import { NOW } from "#environments/synthetic-airline/rules.ts";
import { FIRST_NAMES, LAST_NAMES } from "#environments/synthetic-airline/vocabulary.ts";
import type { Cabin, Flight, Passenger, Reservation, User } from "#environments/tau/airline/records.ts";
import type { Purpose } from "../decision.ts";
import { inTurn } from "../in-turn.ts";
import type { World } from "../world.ts";
import { paidFor } from "./database-reads.ts";
import type { AirlineKind, AirlineWish, FlightChoice, PaymentName, TripName } from "./wishes.ts";

const TODAY = NOW.slice(0, 10);
const FIRST_DAY = 16;
const LAST_DAY = 30;
const CABINS: readonly Cabin[] = ["basic_economy", "economy", "business"];
const UPGRADE_BUDGETS = [100, 250, 500, 1000, 2000] as const;

/** Direct routes of a world that somebody could book: pairs of airports. */
export type Routes = readonly (readonly [origin: string, destination: string])[];

export interface Person {
  readonly userId: string;
  readonly user: User;
  readonly trips: readonly Reservation[];
}

/** Makes one wish of a kind, or none where the facts do not fit. */
interface Maker {
  readonly kind: AirlineKind;
  readonly make: () => AirlineWish | null;
}
interface Drawing {
  readonly person: Person;
  readonly world: World;
  readonly routes: Routes;
  readonly numReads: number;
  readonly random: Random;
}

/** Lazy, in random order. Many are not what was asked for: the caller keeps those whose decision has the right purpose and evidence. */
export function* proposeAirline(drawing: Drawing, purpose: Purpose): Generator<AirlineWish> {
  const { person, random } = drawing;
  const ofTrips = purpose === "answer" ? paidMakers(drawing) : person.trips.flatMap((trip) => tripMakers(drawing, trip, purpose));
  const ofRoutes = purpose === "answer" ? fareMakers(drawing) : bookMakers(drawing, purpose);
  for (const { make } of inTurn([...ofTrips, ...ofRoutes], ({ kind }) => kind, random)) {
    const wish = make();
    if (wish !== null) yield wish;
  }
}

/** Trips that the profile names and the database lacks are no trips of anybody. */
export function personOf(world: World, userId: string): Person {
  const user = world.records("users").get(userId) as unknown as User;
  const reservations = world.records("reservations") as unknown as ReadonlyMap<string, Reservation>;
  return { userId, user, trips: user.reservations.flatMap((id) => reservations.get(id) ?? []) };
}

export function routesOf(world: World): Routes {
  const flights = Array.from(world.records("flights").values()) as unknown as Flight[];
  const routes = new Map(flights.map(({ origin, destination }) => [`${origin}-${destination}`, [origin, destination] as const]));
  return Array.from(routes.values());
}

/** Every way to name this trip of a user: what sets it apart must be true of it. */
function tripNames({ trips }: Person, trip: Reservation): TripName[] {
  const { reservation_id: id, origin, destination } = trip;
  const others = trips.filter((other) => other !== trip);
  const distinctions = others.length === 0 ? [] : DISTINCTIONS.filter(([, isAhead]) => others.every((other) => isAhead(trip, other)));
  return [{ by: "id", id }, { by: "route", origin, destination }, ...distinctions.map(([by]): TripName => ({ by }))];
}

type Distinction = Exclude<TripName["by"], "id" | "route">;
const DISTINCTIONS: readonly (readonly [Distinction, (trip: Reservation, other: Reservation) => boolean])[] = [
  ["most-paid", (trip, other) => paidFor(trip) > paidFor(other)],
  ["booked-last", (trip, other) => trip.created_at > other.created_at],
  ["booked-first", (trip, other) => trip.created_at < other.created_at],
];

function paymentNames({ payment_methods }: User): PaymentName[] {
  const methods = Object.values(payment_methods).filter(({ source }) => source !== "certificate");
  const only = methods.filter(({ source }) => methods.filter((other) => other.source === source).length === 1);
  return [
    ...methods.map(({ id }): PaymentName => ({ by: "id", id })),
    ...only.map(({ source }): PaymentName => ({ by: "source", source: source as "credit_card" | "gift_card" })),
  ];
}

/** What can be wished about one trip, however it is named. */
function tripMakers(drawing: Drawing, trip: Reservation, purpose: Purpose): Maker[] {
  const isUpcoming = trip.flights.every(({ date }) => date > TODAY);
  const named = tripNames(drawing.person, trip).flatMap((name): Maker[] => [
    ...(isUpcoming ? changeMakers(drawing, trip, name) : []),
    { kind: "certificate", make: () => certificateWish(drawing, trip, name) },
  ]);
  if (!isUpcoming) return named;
  return [...named, purpose === "withhold" ? fewerBagsMaker(drawing, trip) : allPassengersMaker(drawing, trip)];
}

function changeMakers(drawing: Drawing, trip: Reservation, name: TripName): Maker[] {
  const { person, random } = drawing;
  const { userId } = person;
  const reason = () => random.pick(["change of plan", "health", "weather"] as const);
  const bags = () => ({ added: random.int(1, 3), payment: random.pick(paymentNames(person.user)), mustBeFree: random.chance(0.3) });
  const canPay = paymentNames(person.user).length > 0;
  return [
    { kind: "cancel", make: () => ({ userId, kind: "cancel", trip: name, reason: reason() }) },
    { kind: "passenger", make: () => passengerWish(drawing, trip, name) },
    ...(canPay ? [{ kind: "bags" as const, make: () => ({ userId, kind: "bags" as const, trip: name, ...bags() }) }] : []),
    ...cabinMakers(drawing, trip, name),
    ...flightMakers(drawing, trip, name),
  ];
}

function allPassengersMaker({ person: { userId }, random }: Drawing, { reservation_id: tripId, passengers }: Reservation): Maker {
  const make = () => ({ userId, kind: "all-passengers" as const, tripId, passengers: passengers.map(() => stranger(random)) });
  return { kind: "all-passengers", make };
}

/** A bag less: never allowed. */
function fewerBagsMaker({ person, random }: Drawing, { reservation_id: id, total_baggages }: Reservation): Maker {
  const facts = () => ({ trip: { by: "id" as const, id }, added: -1, payment: random.pick(paymentNames(person.user)), mustBeFree: false });
  const isPossible = total_baggages > 0 && paymentNames(person.user).length > 0;
  return { kind: "bags", make: () => (isPossible ? { userId: person.userId, kind: "bags", ...facts() } : null) };
}

const stranger = (random: Random): Passenger => ({
  first_name: random.pick(FIRST_NAMES),
  last_name: random.pick(LAST_NAMES),
  dob: `${random.int(1950, 2000)}-${String(random.int(1, 12)).padStart(2, "0")}-${String(random.int(1, 28)).padStart(2, "0")}`,
});

function passengerWish({ person, random }: Drawing, trip: Reservation, name: TripName): AirlineWish | null {
  if (trip.passengers.length === 0) return null;
  const { first_name, last_name } = random.pick(trip.passengers);
  const self = person.user.name;
  const isSelfAboard = trip.passengers.some((one) => one.first_name === self.first_name && one.last_name === self.last_name);
  const replacement = isSelfAboard || random.chance(0.5) ? stranger(random) : null;
  return { userId: person.userId, kind: "passenger", trip: name, old: { first_name, last_name }, replacement };
}

/** Another cabin at any price, within a budget, or for the first flight alone. */
function cabinMakers({ person, random }: Drawing, trip: Reservation, name: TripName): Maker[] {
  const cabins = CABINS.filter((cabin) => cabin !== trip.cabin && cabin !== "basic_economy");
  const facts = { userId: person.userId, kind: "cabin" as const, trip: name };
  return paymentNames(person.user).flatMap((payment): Maker[] =>
    ["any", "budget", ...(trip.flights.length > 1 ? ["first"] : [])].map((condition) => ({
      kind: "cabin",
      make: () => ({
        ...facts,
        cabin: random.pick(cabins),
        payment,
        budget: condition === "budget" ? random.pick(UPGRADE_BUDGETS) : null,
        isFirstFlightOnly: condition === "first",
      }),
    })),
  );
}

/** Another day for a one-way trip between airports with a direct flight. */
function flightMakers({ person, random, routes, numReads }: Drawing, trip: Reservation, name: TripName): Maker[] {
  const isDirect = routes.some(([origin, destination]) => origin === trip.origin && destination === trip.destination);
  if (trip.flight_type !== "one_way" || !isDirect) return [];
  const booked = trip.flights.map(({ date }) => date);
  return paymentNames(person.user).flatMap((payment) =>
    numSearches(numReads).map((count): Maker => {
      const make = () => ({
        userId: person.userId,
        kind: "flight" as const,
        trip: name,
        choice: drawChoice(random, count, booked),
        payment,
      });
      return { kind: "flight", make };
    }),
  );
}

/** Numbers of dates that can lead to `numReads` reads; at least one, for refusals that search nothing. */
const numSearches = (numReads: number): number[] => Array.from({ length: Math.max(1, Math.min(numReads, 6)) }, (_, index) => index + 1);

/** `count` days in a row after today, none of them excluded where that is possible. */
function drawChoice(random: Random, count: number, excluded: readonly string[] = []): FlightChoice {
  const starts = Array.from({ length: LAST_DAY - FIRST_DAY - count + 2 }, (_, index) => FIRST_DAY + index);
  const runs = starts.map((start) => Array.from({ length: count }, (_, index) => `2024-05-${start + index}`));
  const free = runs.filter((dates) => !dates.some((date) => excluded.includes(date)));
  const dates = random.pick(free.length > 0 ? free : runs);
  return { dates, preference: count > 1 ? "cheapest" : random.pick(["cheapest", "earliest", "latest"] as const) };
}

/** The airline did cancel a flight of this trip; with a way to look it up, the user may also be wrong about it. */
function certificateWish({ person, world, random }: Drawing, trip: Reservation, name: TripName): AirlineWish | null {
  const withStatus = (status: string) => trip.flights.filter(({ flight_number, date }) => statusOf(world, flight_number, date) === status);
  const canBeChecked = world.environment.tools.some((tool) => tool.function.name === "get_flight_status");
  const cancelled = withStatus("cancelled");
  const claimed = cancelled.length > 0 ? cancelled : canBeChecked ? withStatus("landed") : [];
  if (claimed.length === 0) return null;
  const { flight_number, date } = random.pick(claimed);
  return { userId: person.userId, kind: "certificate", trip: name, flight: { flight_number, date } };
}

const statusOf = (world: World, flightNumber: string, date: string): string | undefined =>
  (world.records("flights").get(flightNumber) as unknown as Flight | undefined)?.dates[date]?.status;

/** Bookings by credit card; in refusals for six people. */
function bookMakers({ person, random, routes, numReads }: Drawing, purpose: Purpose): Maker[] {
  const { user, userId } = person;
  const sourceOf = (name: PaymentName) => (name.by === "source" ? name.source : user.payment_methods[name.id]?.source);
  const cards = paymentNames(user).filter((name) => sourceOf(name) === "credit_card");
  const wish = (count: number, birthday: string | null, payment: PaymentName): AirlineWish => {
    const [origin, destination] = random.pick(routes);
    const companions = purpose === "withhold" ? Array.from({ length: 5 }, () => stranger(random)) : [];
    const route = { origin, destination, cabin: random.pick(CABINS), choice: drawChoice(random, count) };
    return { userId, kind: "book", ...route, birthday, name: user.name, companions, payment };
  };
  return (routes.length === 0 ? [] : cards).flatMap((payment) =>
    numSearches(numReads).flatMap((count) =>
      [user.dob, null].map((birthday): Maker => ({ kind: "book", make: () => wish(count, birthday, payment) })),
    ),
  );
}

const NUM_FARES = 8;

function fareMakers({ person: { userId }, random, routes, numReads }: Drawing): Maker[] {
  const make = (): AirlineWish => {
    const [origin, destination] = random.pick(routes);
    const { dates } = drawChoice(random, numReads);
    return { userId, kind: "fare", origin, destination, cabin: random.pick(["economy", "business"]), dates };
  };
  return numReads === 0 || routes.length === 0 ? [] : Array.from({ length: NUM_FARES }, () => ({ kind: "fare", make }));
}

function paidMakers({ person }: Drawing): Maker[] {
  const { userId, trips } = person;
  const names = [...(trips.length > 1 ? [null] : []), ...trips.flatMap((trip) => tripNames(person, trip))];
  return names.map((trip): Maker => ({ kind: "paid", make: () => ({ userId, kind: "paid", trip }) }));
}
