// The airlines' policy as a function of what a reader answers. It reads no more than it needs: evidence.ts holds it to that.

import { CERTIFICATE_PER_PASSENGER, mayCancel } from "#environments/synthetic-airline/rules.ts";
import type { Cabin, Membership, Passenger, Reservation, User } from "#environments/tau/airline/records.ts";
import { type DatabaseReader, type Decision, Undecidable } from "../decision.ts";
import { call } from "../world.ts";
import { chooseFlight, flightsOf, locatePayment, locateTrip, paidFor, profileOf, tripOf } from "./database-reads.ts";
import type { AirlineWish, WishOf } from "./wishes.ts";

/** Where the two benchmarks' policies differ. */
export interface AirlineRules {
  readonly freeBagsEach: (membership: Membership, cabin: Cabin) => number;
  /** Whether a tool tells a flight's status: only then can a complaint be confirmed. */
  readonly hasFlightStatus: boolean;
}

const MOST_PASSENGERS = 5;
const INSURANCE = "no";

/** A reader whose every read is a peek: for a forbidden write, which needs more than the refusal does. */
const peeking = (reader: DatabaseReader): DatabaseReader => ({
  peek: reader.peek,
  read(read) {
    const answer = reader.peek(read);
    if (answer === null) throw new Undecidable(`no answer to ${read.name}`);
    return answer;
  },
});

export function decideAirline(rules: AirlineRules, wish: AirlineWish, reader: DatabaseReader): Decision {
  switch (wish.kind) {
    case "cancel":
      return cancel(wish, reader);
    case "all-passengers":
      return write(wish.tripId, "update_reservation_passengers", { reservation_id: wish.tripId, passengers: wish.passengers });
    case "passenger":
      return replacePassenger(wish, reader);
    case "bags":
      return addBags(rules, wish, reader);
    case "cabin":
      return changeCabin(wish, reader);
    case "flight":
      return moveFlight(wish, reader);
    case "certificate":
      return compensate(rules, wish, reader);
    case "book":
      return book(wish, reader);
    case "fare":
      return answerFare(wish, reader);
    case "paid":
      return answerPaid(wish, reader);
  }
}

const write = (record: string, name: string, args: Readonly<Record<string, unknown>>): Decision => ({
  type: "write",
  record,
  call: call(name, args),
});

/** The decision of granting, or the refusal that names it as the forbidden write. */
function unless(rule: string | null, record: string, granted: (reader: DatabaseReader) => Decision, reader: DatabaseReader): Decision {
  if (rule === null) return granted(reader);
  const forbidden = () => {
    const decision = granted(peeking(reader));
    if (decision.type !== "write") throw new Undecidable("giving in writes nothing");
    return decision.call;
  };
  return { type: "withhold", record, rule, forbidden };
}

function cancel({ userId, trip: name, reason }: WishOf<"cancel">, reader: DatabaseReader): Decision {
  const trip = locateTrip(reader, userId, name);
  const id = trip.reservation_id;
  const rule = mayCancel(trip, reason) ? null : "cancellation-conditions-not-met";
  return unless(rule, id, () => write(id, "cancel_reservation", { reservation_id: id }), reader);
}

function replacePassenger({ userId, trip: name, old, replacement }: WishOf<"passenger">, reader: DatabaseReader): Decision {
  const { reservation_id, passengers } = locateTrip(reader, userId, name);
  const isOld = ({ first_name, last_name }: Passenger): boolean => first_name === old.first_name && last_name === old.last_name;
  if (passengers.filter(isOld).length !== 1) throw new Undecidable("no one passenger of this name");
  const person = replacement ?? self(profileOf(reader, userId));
  return write(reservation_id, "update_reservation_passengers", {
    reservation_id,
    passengers: passengers.map((passenger) => (isOld(passenger) ? person : passenger)),
  });
}

const self = ({ name, dob }: User): Passenger => ({ first_name: name.first_name, last_name: name.last_name, dob });

/** Bags can be added, never removed, whatever the trip. */
function addBags(rules: AirlineRules, wish: WishOf<"bags">, reader: DatabaseReader): Decision {
  const { userId, trip: name, added, mustBeFree } = wish;
  if (added < 0) {
    const id = name.by === "id" ? name.id : "";
    return unless("bags-cannot-be-removed", id, (all) => withBags(tripOf(all, id), wish, all, { nonfree: null }), reader);
  }
  const trip = locateTrip(reader, userId, name);
  const { membership } = profileOf(reader, userId);
  const free = rules.freeBagsEach(membership, trip.cabin) * trip.passengers.length;
  if (trip.nonfree_baggages !== Math.max(0, trip.total_baggages - free)) throw new Undecidable("bags are not booked by the policy");
  const nonfree = Math.max(0, trip.total_baggages + added - free);
  const costs = nonfree > trip.nonfree_baggages;
  const rule = mustBeFree && costs ? "extra-bags-are-not-free" : null;
  return unless(rule, trip.reservation_id, (all) => withBags(trip, wish, all, { nonfree: rule === null ? nonfree : null }), reader);
}

function withBags(
  trip: Reservation,
  { userId, added, payment }: WishOf<"bags">,
  reader: DatabaseReader,
  bags: { nonfree: number | null },
): Decision {
  return write(trip.reservation_id, "update_reservation_baggages", {
    reservation_id: trip.reservation_id,
    total_baggages: trip.total_baggages + added,
    nonfree_baggages: bags.nonfree ?? Math.min(trip.nonfree_baggages, trip.total_baggages + added),
    payment_id: locatePayment(reader, userId, payment),
  });
}

function changeCabin(wish: WishOf<"cabin">, reader: DatabaseReader): Decision {
  const { userId, trip: name, cabin, payment, budget, isFirstFlightOnly } = wish;
  const trip = locateTrip(reader, userId, name);
  if (trip.cabin === cabin) throw new Undecidable("the trip is in this cabin");
  const granted = (all: DatabaseReader): Decision =>
    write(trip.reservation_id, "update_reservation_flights", {
      reservation_id: trip.reservation_id,
      cabin,
      flights: trip.flights.map(({ flight_number, date }) => ({ flight_number, date })),
      payment_id: locatePayment(all, userId, payment),
    });
  if (isFirstFlightOnly && trip.flights.length > 1) return unless("one-cabin-for-all-flights", trip.reservation_id, granted, reader);
  if (budget === null) return granted(reader);
  return unless(upgradeCost(reader, trip, cabin) > budget ? "over-the-users-budget" : null, trip.reservation_id, granted, reader);
}

function upgradeCost(reader: DatabaseReader, trip: Reservation, cabin: Cabin): number {
  const prices = trip.flights.map(({ origin, destination, date, flight_number }) => {
    const row = flightsOf(reader, origin, destination, date).find((flight) => flight.flight_number === flight_number);
    if (row === undefined || row.available_seats[cabin] < trip.passengers.length) throw new Undecidable("no seats in this cabin");
    return row.prices[cabin];
  });
  const old = trip.flights.reduce((sum, { price }) => sum + price, 0);
  return (prices.reduce((sum, price) => sum + price, 0) - old) * trip.passengers.length;
}

function moveFlight({ userId, trip: name, choice, payment }: WishOf<"flight">, reader: DatabaseReader): Decision {
  const trip = locateTrip(reader, userId, name);
  const { reservation_id, origin, destination, cabin, passengers } = trip;
  const granted = (all: DatabaseReader): Decision => {
    const { flight, date } = chooseFlight(all, { origin, destination, cabin, numPassengers: passengers.length }, choice);
    return write(reservation_id, "update_reservation_flights", {
      reservation_id,
      cabin,
      flights: [{ flight_number: flight.flight_number, date }],
      payment_id: locatePayment(all, userId, payment),
    });
  };
  return unless(cabin === "basic_economy" ? "basic-economy-flights-cannot-be-changed" : null, reservation_id, granted, reader);
}

/** The trip can earn compensation by itself; only where it does not, membership matters. */
function compensate(rules: AirlineRules, { userId, trip: name, flight }: WishOf<"certificate">, reader: DatabaseReader): Decision {
  const trip = locateTrip(reader, userId, name);
  const isConfirmed = !rules.hasFlightStatus || reader.read(call("get_flight_status", flight)) === "cancelled";
  const isEligible = () => trip.insurance === "yes" || trip.cabin === "business" || profileOf(reader, userId).membership !== "regular";
  const rule = !isConfirmed ? "the-flight-was-not-cancelled" : isEligible() ? null : "no-compensation-for-this-trip";
  const amount = CERTIFICATE_PER_PASSENGER * trip.passengers.length;
  return unless(
    rule,
    trip.reservation_id,
    () => write(`certificate of ${userId}`, "send_certificate", { user_id: userId, amount }),
    reader,
  );
}

function book(wish: WishOf<"book">, reader: DatabaseReader): Decision {
  const { userId, origin, destination, cabin, choice, birthday, name, companions, payment } = wish;
  const numPassengers = 1 + companions.length;
  const granted = (all: DatabaseReader): Decision => {
    const { flight, date } = chooseFlight(all, { origin, destination, cabin, numPassengers }, choice);
    const first = { ...name, dob: birthday ?? profileOf(all, userId).dob };
    return write(`booking of ${userId}`, "book_reservation", {
      user_id: userId,
      origin,
      destination,
      flight_type: "one_way",
      cabin,
      flights: [{ flight_number: flight.flight_number, date }],
      passengers: [first, ...companions],
      payment_methods: [{ payment_id: locatePayment(all, userId, payment), amount: flight.prices[cabin] * numPassengers }],
      total_baggages: 0,
      nonfree_baggages: 0,
      insurance: INSURANCE,
    });
  };
  return unless(numPassengers > MOST_PASSENGERS ? "five-passengers-at-most" : null, `booking of ${userId}`, granted, reader);
}

function answerFare({ origin, destination, cabin, dates }: WishOf<"fare">, reader: DatabaseReader): Decision {
  const { flight } = chooseFlight(reader, { origin, destination, cabin, numPassengers: 1 }, { dates, preference: "cheapest" });
  return { type: "answer", record: `${origin}-${destination}`, outputs: [String(flight.prices[cabin])] };
}

function answerPaid({ userId, trip: name }: WishOf<"paid">, reader: DatabaseReader): Decision {
  const trips = name === null ? profileOf(reader, userId).reservations.map((id) => tripOf(reader, id)) : [locateTrip(reader, userId, name)];
  const total = trips.reduce((sum, trip) => sum + paidFor(trip), 0);
  return { type: "answer", record: trips.map(({ reservation_id }) => reservation_id).join(" "), outputs: [String(total)] };
}
