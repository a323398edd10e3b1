// One wish of a generated task: facts that fit the user's reservations, and the golden actions that fulfil it under the policy.
import type { GoldenAction } from "#contracts/task.ts";
import type { Random } from "#core/random-source.ts";
import { type Wish, wish } from "#simulators/agenda.ts";
import type { AirlineRecords, Reservation, User } from "../tau/airline/records.ts";
import { CERTIFICATE_PER_PASSENGER, freeBagsEach, mayCancel, mayCompensate, NOW } from "./rules.ts";

export type WishKind = "cancel" | "bags" | "cabin" | "flight" | "certificate";

export interface WishRequest {
  readonly kind: WishKind;
  readonly isRefused: boolean;
  readonly userId: string;
  readonly records: AirlineRecords;
  readonly random: Random;
  /** A reservation that another wish of the task is about. */
  readonly otherThan: string | null;
}
export interface DraftedWish {
  readonly wish: Wish;
  readonly actions: readonly GoldenAction[];
  readonly isGranted: boolean;
  /** Reads that a careful agent needs for it. */
  readonly numReads: number;
}

const KNOWN_BY_ID = 0.5;
const INSISTS = 0.3;
/** A user who remembers only the airports owns the trip at one of the first places: reads stay few. */
const MAX_SEARCH = 4;

const action = (name: string, args: Readonly<Record<string, unknown>>): GoldenAction => ({ name, argumentsJson: JSON.stringify(args) });

/** A wish of the given kind for one user, or null when no reservation of theirs fits. */
export function draftWish(request: WishRequest): DraftedWish | null {
  const { records, userId, random, otherThan } = request;
  const user = records.users.get(userId) as User;
  const trips = user.reservations.map((id) => records.reservations.get(id) as Reservation);
  const trip = random.pick(trips);
  if (trip.reservation_id === otherThan) return null;
  const isKnownById = random.chance(KNOWN_BY_ID);
  const position = trips.indexOf(trip);
  if (!isKnownById && (position >= MAX_SEARCH || trips.filter((other) => isSameRoute(other, trip)).length > 1)) return null;
  const facts = factsOf(request, user, trip);
  if (facts === null) return null;
  const id = trip.reservation_id;
  const search = facts.search ?? [];
  return {
    wish: wish(request.kind, {
      ...facts.facts,
      trip: { id, origin: trip.origin, destination: trip.destination, isKnownById },
      insists: random.chance(INSISTS),
    }),
    actions: [action("get_reservation_details", { reservation_id: id }), ...search, ...(request.isRefused ? [] : [facts.write])],
    isGranted: !request.isRefused,
    numReads: (isKnownById ? 1 : position + 1) + search.length,
  };
}

interface Facts {
  readonly facts: Partial<Wish>;
  readonly search?: readonly GoldenAction[];
  readonly write: GoldenAction;
}

const isSameRoute = (left: Reservation, right: Reservation): boolean =>
  left.origin === right.origin && left.destination === right.destination;
const isUpcoming = (trip: Reservation): boolean => trip.flights.every((flight) => flight.date > NOW.slice(0, 10));

function factsOf(request: WishRequest, user: User, trip: Reservation): Facts | null {
  switch (request.kind) {
    case "cancel":
      return cancelFacts(request, trip);
    case "bags":
      return bagsFacts(request, user, trip);
    case "cabin":
      return cabinFacts(request, user, trip);
    case "flight":
      return flightFacts(request, user, trip);
    case "certificate":
      return certificateFacts(request, user, trip);
  }
}

function cancelFacts({ random, isRefused }: WishRequest, trip: Reservation): Facts | null {
  const reason = random.pick(["change of plan", "change of plan", "health", "weather"] as const);
  if (!isUpcoming(trip) || mayCancel(trip, reason) === isRefused) return null;
  return { facts: { reason }, write: action("cancel_reservation", { reservation_id: trip.reservation_id }) };
}

/** Bags can be added, never removed. */
function bagsFacts({ random, isRefused }: WishRequest, user: User, trip: Reservation): Facts | null {
  if (!isUpcoming(trip) || (isRefused && trip.total_baggages === 0)) return null;
  const bags = isRefused ? -1 : random.int(1, 3);
  const [payment, payment_id] = payingMethod(user, random);
  const { total, nonfree } = bagsAfter(user, trip, bags);
  return {
    facts: { bags, payment },
    write: action("update_reservation_baggages", {
      reservation_id: trip.reservation_id,
      total_baggages: total,
      nonfree_baggages: nonfree,
      payment_id,
    }),
  };
}

/** Checked bags of a trip after some are added: all of them, and those that are paid for. */
export function bagsAfter(user: User, trip: Reservation, added: number): { total: number; nonfree: number } {
  const total = trip.total_baggages + added;
  return { total, nonfree: Math.max(0, total - freeBagsEach(user.membership, trip.cabin) * trip.passengers.length) };
}

/** A cabin is changed for the whole trip or not at all. */
function cabinFacts({ random, isRefused }: WishRequest, user: User, trip: Reservation): Facts | null {
  if (!isUpcoming(trip) || (isRefused && trip.flights.length === 1)) return null;
  const cabin = random.pick((["economy", "business"] as const).filter((other) => other !== trip.cabin));
  const [payment, payment_id] = payingMethod(user, random);
  const flights = trip.flights.map(({ flight_number, date }) => ({ flight_number, date }));
  return {
    facts: { cabin, payment, isOneSegmentOnly: isRefused },
    write: action("update_reservation_flights", { reservation_id: trip.reservation_id, cabin, flights, payment_id }),
  };
}

/** Another day for a trip of one flight; basic economy cannot be moved. */
function flightFacts({ random, isRefused, records }: WishRequest, user: User, trip: Reservation): Facts | null {
  if (!isUpcoming(trip) || trip.flights.length !== 1 || (trip.cabin === "basic_economy") !== isRefused) return null;
  const date = `2024-05-${random.int(16, 30)}`;
  const options = flightOptions(records, trip, date);
  if (date === trip.flights[0]?.date || options.length < 2) return null;
  const time = random.pick(["earliest", "latest"] as const);
  const flight_number = time === "earliest" ? options[0] : options.at(-1);
  const [payment, payment_id] = payingMethod(user, random);
  const search = action("search_direct_flight", { origin: trip.origin, destination: trip.destination, date });
  return {
    facts: { date, time, payment },
    ...(isRefused ? {} : { search: [search] }),
    write: action("update_reservation_flights", {
      reservation_id: trip.reservation_id,
      cabin: trip.cabin,
      flights: [{ flight_number, date }],
      payment_id,
    }),
  };
}

/** Direct flights between a trip's airports with seats for it on a date, by departure. */
export function flightOptions(records: AirlineRecords, trip: Reservation, date: string): string[] {
  return [...records.flights.values()]
    .filter((flight) => {
      const onDate = flight.dates[date];
      return (
        flight.origin === trip.origin &&
        flight.destination === trip.destination &&
        onDate?.status === "available" &&
        onDate.available_seats[trip.cabin] >= trip.passengers.length
      );
    })
    .toSorted((left, right) => left.scheduled_departure_time_est.localeCompare(right.scheduled_departure_time_est))
    .map((flight) => flight.flight_number);
}

function certificateFacts({ isRefused, records }: WishRequest, user: User, trip: Reservation): Facts | null {
  const wasCancelled = trip.flights.some(
    ({ flight_number, date }) => records.flights.get(flight_number)?.dates[date]?.status === "cancelled",
  );
  if (!wasCancelled || mayCompensate(user.membership, trip) === isRefused) return null;
  return {
    facts: {},
    write: action("send_certificate", { user_id: trip.user_id, amount: CERTIFICATE_PER_PASSENGER * trip.passengers.length }),
  };
}

/** A card or gift card of the user: its source, by which the user calls it, and its id. */
function payingMethod(user: User, random: Random): readonly [string, string] {
  const method = random.pick(Object.values(user.payment_methods).filter(({ source }) => source !== "certificate"));
  return [method.source, method.id];
}
