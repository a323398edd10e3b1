// What else an airline read could have answered, in a database that differs in this alone.

import { randomFrom } from "#core/random-source.ts";
import type { Alternatives } from "../evidence.ts";
import type { Json, World } from "../world.ts";
import type { FlightRow } from "./database-reads.ts";

type Fields = { readonly [key: string]: Json };
const NUM_SAMPLES = 30;
const CHEAP = 1;
const EXPENSIVE = 9999;

/** Other profiles, other trips under the same id, other fares and seats. Extremes first: they decide what is largest or first. */
export function airlineAlternatives(world: World): Alternatives {
  const trips = sample(world, "reservations");
  const users = sample(world, "users");
  return function* (read, answer) {
    switch (read.name) {
      case "get_reservation_details":
        yield* extremeTrips(answer as Fields);
        for (const trip of trips) yield { ...trip, reservation_id: (answer as Fields)["reservation_id"] ?? null };
        return;
      case "get_user_details":
        yield* users;
        return;
      case "search_direct_flight":
        yield* otherFlights(answer as unknown as readonly FlightRow[]);
        return;
      case "get_flight_status":
        yield* ["available", "cancelled", "landed"];
        return;
    }
  };
}

function sample(world: World, collection: string): Fields[] {
  const records = Array.from(world.records(collection).values()) as Fields[];
  return randomFrom("alternatives", collection).shuffle(records).slice(0, NUM_SAMPLES);
}

/** The same trip at another price, booked at another time, in another cabin, with and without insurance. */
function* extremeTrips(trip: Fields): Generator<Json> {
  for (const amount of [EXPENSIVE * EXPENSIVE, 0]) yield { ...trip, payment_history: [{ payment_id: "", amount }] };
  for (const created_at of ["2024-05-15T14:59:59", "2024-01-01T00:00:00"]) yield { ...trip, created_at };
  for (const cabin of ["basic_economy", "economy", "business"]) yield { ...trip, cabin };
  for (const insurance of ["yes", "no"]) yield { ...trip, insurance };
}

function* otherFlights(rows: readonly FlightRow[]): Generator<Json> {
  yield [];
  for (const price of [CHEAP, EXPENSIVE]) yield* [priced(rows, price, 1), priced(rows, price, -1)];
}

/** Every fare around `price`, falling or rising from flight to flight, so that none are equal; seats for everybody. */
function priced(rows: readonly FlightRow[], price: number, step: 1 | -1): Json {
  const all = (value: number) => ({ basic_economy: value, economy: value, business: value });
  return rows.map((row, index) => ({
    ...row,
    prices: all(price + (step === 1 ? index : rows.length - index)),
    available_seats: all(99),
  })) as unknown as Json;
}
