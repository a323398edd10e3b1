// The synthetic airline's database in tau-bench's schema: users, flights on 30 dates, reservations. A pure function of the seed.

import { type Random, randomFrom } from "#core/random-source.ts";
import type {
  AirlineRecords,
  Cabin,
  Flight,
  FlightDate,
  Passenger,
  PaymentMethod,
  Reservation,
  ReservationFlight,
  User,
} from "../tau/airline/records.ts";
import { BAG_PRICE, freeBagsEach, NOW } from "./rules.ts";
import { AIRPORTS, CARD_BRANDS, CITIES, FIRST_NAMES, LAST_NAMES, STREETS } from "./vocabulary.ts";

const NUM_USERS = 500;
/** 50 pairs of airports, both ways, three flights a day each: 300 flights. */
const NUM_PAIRS = 50;
const FLIGHTS_PER_ROUTE = 3;
const TODAY = 15;
const CABINS: readonly Cabin[] = ["basic_economy", "economy", "business"];

type ByCabin = Record<Cabin, number>;
type Routes = ReadonlyMap<string, readonly Flight[]>;

const pad = (value: number, width = 2): string => String(value).padStart(width, "0");
const dateOf = (day: number): string => `2024-05-${pad(day)}`;
const clock = (minutes: number): string => `${pad(Math.floor(minutes / 60) % 24)}:${pad(minutes % 60)}:00`;
const dayOf = (date: string): number => Number(date.slice(8));

/** A complete airline: 500 users, 300 flights on 30 dates, 2,000 reservations. Same seed, same database. */
export function generateAirline(seed: number): AirlineRecords {
  const flights = generateFlights(randomFrom(seed, "flights"));
  const owners = generateUsers(randomFrom(seed, "users"));
  const reservations = generateReservations(randomFrom(seed, "reservations"), owners, flights);
  return { flights, reservations, users: withReservations(owners, reservations) };
}

function generateFlights(random: Random): Map<string, Flight> {
  const flights = new Map<string, Flight>();
  let number = 0;
  for (const [origin, destination] of airportPairs(random).flatMap(
    ([a, b]) =>
      [
        [a, b],
        [b, a],
      ] as const,
  )) {
    const minutes = random.int(60, 300);
    for (const hour of random.shuffle([6, 8, 10, 12, 14, 16, 18]).slice(0, FLIGHTS_PER_ROUTE)) {
      const flight_number = `HAT${pad(++number, 3)}`;
      const departure = hour * 60;
      flights.set(flight_number, {
        flight_number,
        origin,
        destination,
        scheduled_departure_time_est: clock(departure),
        scheduled_arrival_time_est: clock(departure + minutes),
        dates: flightDates(random, departure, minutes),
      });
    }
  }
  return flights;
}

/** A ring through all airports, so that every airport is served, and random pairs beyond it. */
function airportPairs(random: Random): (readonly [string, string])[] {
  const ring = random.shuffle(AIRPORTS);
  const pairs = new Map<string, readonly [string, string]>();
  const add = (a: string, b: string): void => {
    if (a !== b) pairs.set([a, b].sort().join(), [a, b]);
  };
  for (const [index, airport] of ring.entries()) add(airport, ring[(index + 1) % ring.length] as string);
  while (pairs.size < NUM_PAIRS) add(random.pick(AIRPORTS), random.pick(AIRPORTS));
  return [...pairs.values()];
}

function flightDates(random: Random, departure: number, minutes: number): Record<string, FlightDate> {
  const dates: Record<string, FlightDate> = {};
  for (let day = 1; day <= 30; day++) dates[dateOf(day)] = flightDate(random, day, departure, minutes);
  return dates;
}

function flightDate(random: Random, day: number, departure: number, minutes: number): FlightDate {
  if (day > TODAY) return { status: "available", available_seats: seats(random), prices: prices(random) };
  const delay = random.int(0, 40);
  const leaves = `${dateOf(day)}T${clock(departure + delay)}`;
  const lands = `${dateOf(day)}T${clock(departure + delay + minutes)}`;
  if (day === TODAY && leaves > NOW) {
    return { status: random.chance(0.4) ? "delayed" : "on time", estimated_departure_time_est: leaves, estimated_arrival_time_est: lands };
  }
  if (day === TODAY && lands > NOW) return { status: "flying", actual_departure_time_est: leaves, estimated_arrival_time_est: lands };
  if (random.chance(0.25)) return { status: "cancelled" };
  return { status: "landed", actual_departure_time_est: leaves, actual_arrival_time_est: lands };
}

function seats(random: Random): ByCabin {
  return { basic_economy: random.int(0, 20), economy: random.int(4, 20), business: random.int(4, 20) };
}

function prices(random: Random): ByCabin {
  return { basic_economy: random.int(50, 99), economy: random.int(100, 199), business: random.int(200, 499) };
}

function generateUsers(random: Random): Map<string, User> {
  const users = new Map<string, User>();
  while (users.size < NUM_USERS) {
    const first_name = random.pick(FIRST_NAMES);
    const last_name = random.pick(LAST_NAMES);
    const userId = `${first_name}_${last_name}_${random.int(1000, 9999)}`.toLowerCase();
    if (users.has(userId)) continue;
    users.set(userId, {
      name: { first_name, last_name },
      address: address(random),
      email: `${first_name}.${last_name}${random.int(1000, 9999)}@example.com`.toLowerCase(),
      dob: birthday(random),
      payment_methods: paymentMethods(random),
      saved_passengers: [person(random)],
      membership: random.pick(["regular", "silver", "gold"]),
      reservations: [],
    });
  }
  return users;
}

function address(random: Random): User["address"] {
  const [city, state] = random.pick(CITIES);
  return {
    address1: `${random.int(100, 999)} ${random.pick(STREETS)}`,
    address2: `Suite ${random.int(100, 999)}`,
    city,
    country: "USA",
    state,
    zip: String(random.int(10_000, 99_999)),
  };
}

const birthday = (random: Random): string => `${random.int(1950, 2000)}-${pad(random.int(1, 12))}-${pad(random.int(1, 28))}`;
const person = (random: Random): Passenger => ({
  first_name: random.pick(FIRST_NAMES),
  last_name: random.pick(LAST_NAMES),
  dob: birthday(random),
});

/** At most one method of each source, so that its source names it; a card or a gift card always. */
function paymentMethods(random: Random): Record<string, PaymentMethod> {
  const sources = random.pick([["credit_card"], ["gift_card"], ["credit_card", "gift_card"], ["credit_card", "gift_card"]] as const);
  const withCertificate = random.chance(0.3) ? [...sources, "certificate" as const] : sources;
  return Object.fromEntries(
    random.shuffle(withCertificate).map((source) => {
      const id = `${source}_${random.int(1_000_000, 9_999_999)}`;
      return [id, paymentMethod(random, source, id)];
    }),
  );
}

function paymentMethod(random: Random, source: PaymentMethod["source"], id: string): PaymentMethod {
  if (source === "credit_card") return { source, brand: random.pick(CARD_BRANDS), last_four: pad(random.int(0, 9999), 4), id };
  return { source, amount: source === "gift_card" ? random.int(500, 3000) : random.pick([100, 150, 250, 500]), id };
}

function generateReservations(
  random: Random,
  users: ReadonlyMap<string, User>,
  flights: ReadonlyMap<string, Flight>,
): Map<string, Reservation> {
  const routes = Map.groupBy(flights.values(), (flight) => `${flight.origin}-${flight.destination}`);
  const reservations = new Map<string, Reservation>();
  for (const [userId, user] of owners(random, [...users])) {
    const id = freshReservationId(random, reservations);
    reservations.set(id, generateReservation(random, userId, user, id, routes));
  }
  return reservations;
}

/** The owner of each reservation, in random order: two to six reservations a user. */
function owners(random: Random, users: readonly (readonly [string, User])[]): (readonly [string, User])[] {
  const counts = random.shuffle(users.map((_, index) => [2, 3, 4, 5, 6][index % 5] as number));
  return random.shuffle(users.flatMap((user, index) => Array.from({ length: counts[index] as number }, () => user)));
}

function withReservations(users: ReadonlyMap<string, User>, reservations: ReadonlyMap<string, Reservation>): Map<string, User> {
  const byUser = Map.groupBy(reservations.values(), (reservation) => reservation.user_id);
  return new Map([...users].map(([id, user]) => [id, { ...user, reservations: (byUser.get(id) ?? []).map((one) => one.reservation_id) }]));
}

/** Six letters and digits, the first a letter, at least one digit: neither a number nor a word. */
function freshReservationId(random: Random, taken: ReadonlyMap<string, unknown>): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const draw = (alphabet: string): string => alphabet[random.int(0, alphabet.length - 1)] as string;
  for (;;) {
    const id = draw(letters) + Array.from({ length: 5 }, () => draw(`${letters}0123456789`)).join("");
    if (/\d/.test(id) && !taken.has(id)) return id;
  }
}

function generateReservation(random: Random, user_id: string, user: User, reservation_id: string, routes: Routes): Reservation {
  const flight_type = random.chance(0.65) ? "one_way" : "round_trip";
  const cabin = random.pick(CABINS);
  const passengers = [{ ...user.name, dob: user.dob }, ...Array.from({ length: random.pick([0, 0, 1, 1, 2]) }, () => person(random))];
  const insurance = random.chance(0.4) ? "yes" : "no";
  const outbound = outboundSegments(random, cabin, routes);
  const back = flight_type === "round_trip" ? returnSegments(random, outbound, cabin, routes) : [];
  const segments = [...outbound, ...back];
  const free = freeBagsEach(user.membership, cabin) * passengers.length;
  const total_baggages = random.int(0, Math.max(1, Math.min(4, free)));
  const nonfree_baggages = Math.max(0, total_baggages - free);
  const amount =
    passengers.length * (segments.reduce((sum, segment) => sum + segment.price, 0) + (insurance === "yes" ? 30 : 0)) +
    BAG_PRICE * nonfree_baggages;
  return {
    reservation_id,
    user_id,
    origin: (outbound[0] as ReservationFlight).origin,
    destination: (outbound.at(-1) as ReservationFlight).destination,
    flight_type,
    cabin,
    flights: segments,
    passengers,
    payment_history: [{ payment_id: random.pick(Object.keys(user.payment_methods)), amount }],
    created_at: createdAt(random),
    total_baggages,
    nonfree_baggages,
    insurance,
  };
}

/** Between 1 and 14 May; one in five within the last 24 hours. */
function createdAt(random: Random): string {
  const time = (low: number): string => `${pad(random.int(low, 23))}:${pad(random.int(0, 59))}:${pad(random.int(0, 59))}`;
  return random.chance(0.2) ? `${dateOf(14)}T${time(15)}` : `${dateOf(random.int(1, 13))}T${time(0)}`;
}

/** One direct flight (two in three) or two with a stop, before today (three in ten) or after it. */
function outboundSegments(random: Random, cabin: Cabin, routes: Routes): ReservationFlight[] {
  const day = random.chance(0.3) ? random.int(1, TODAY - 1) : random.int(TODAY + 1, 28);
  const first = random.pick(random.pick([...routes.values()]));
  if (random.chance(0.65)) return [segmentOf(random, first, day, cabin)];
  const onward = [...routes.values()].filter(([flight]) => flight?.origin === first.destination && flight.destination !== first.origin);
  if (onward.length === 0) return [segmentOf(random, first, day, cabin)];
  return [first, random.pick(random.pick(onward))].map((flight) => segmentOf(random, flight, day, cabin));
}

/** The way back over the same airports, on a later day. */
function returnSegments(random: Random, outbound: readonly ReservationFlight[], cabin: Cabin, routes: Routes): ReservationFlight[] {
  const day = random.int(dayOf((outbound[0] as ReservationFlight).date) + 1, 30);
  return [...outbound]
    .reverse()
    .map(({ origin, destination }) =>
      segmentOf(random, random.pick(routes.get(`${destination}-${origin}`) as readonly Flight[]), day, cabin),
    );
}

function segmentOf(random: Random, flight: Flight, day: number, cabin: Cabin): ReservationFlight {
  const date = dateOf(day);
  const onDate = flight.dates[date];
  const price = onDate?.status === "available" ? onDate.prices[cabin] : prices(random)[cabin];
  return { origin: flight.origin, destination: flight.destination, flight_number: flight.flight_number, date, price };
}
