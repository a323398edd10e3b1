// An airline small enough to look at: two users, three flights, two reservations.
import fc from "fast-check";
import type { GoldenTask } from "#contracts/task.ts";
import type { EnvironmentCall } from "#core/environment/environment.ts";
import { createAirlineDatabase } from "#environments/tau/airline/database.ts";
import { type AirlineState, createAirlineEnvironment } from "#environments/tau/airline/environment.ts";
import { AIRLINE_POLICY_DOCUMENT } from "#environments/tau/airline/policy-document.ts";
import type { Flight, FlightDate, User } from "#environments/tau/airline/records.ts";
import { AIRLINE_TOOL_SCHEMAS } from "#environments/tau/airline/tool-schemas.ts";
import { dumps } from "#environments/tau/python/format.ts";

const available: FlightDate = {
  status: "available",
  available_seats: { basic_economy: 9, economy: 3, business: 1 },
  prices: { basic_economy: 60, economy: 100, business: 300 },
};

function flight(number: string, origin: string, destination: string, departure: string, arrival: string): Flight {
  return {
    flight_number: number,
    origin,
    destination,
    scheduled_departure_time_est: departure,
    scheduled_arrival_time_est: arrival,
    dates: { "2024-05-20": available, "2024-05-21": { status: "cancelled" } },
  };
}

const passenger = { first_name: "Mia", last_name: "Li", dob: "1990-04-05" };

function user(paymentMethods: User["payment_methods"], reservations: readonly string[]): User {
  return {
    name: { first_name: "Mia", last_name: "Li" },
    address: { address1: "1 Elm Street", address2: "", city: "Austin", country: "USA", state: "TX", zip: "78750" },
    email: "mia@example.com",
    dob: "1990-04-05",
    payment_methods: paymentMethods,
    saved_passengers: [passenger],
    membership: "gold",
    reservations,
  };
}

const reservation = {
  origin: "JFK",
  destination: "SEA",
  flight_type: "one_way",
  cabin: "economy",
  flights: [{ origin: "JFK", destination: "SEA", flight_number: "HAT001", date: "2024-05-20", price: 90 }],
  passengers: [passenger],
  payment_history: [{ payment_id: "gift_card_1", amount: 90 }],
  created_at: "2024-05-10T10:00:00",
  total_baggages: 1,
  nonfree_baggages: 0,
  insurance: "no",
} as const;

const database = createAirlineDatabase({
  flights: new Map([
    ["HAT001", flight("HAT001", "JFK", "SEA", "08:00:00", "11:00:00")],
    ["HAT002", flight("HAT002", "JFK", "ATL", "06:00:00", "08:00:00")],
    ["HAT003", flight("HAT003", "ATL", "SEA", "09:00:00", "12:00:00")],
  ]),
  reservations: new Map([
    ["AAAAAA", { reservation_id: "AAAAAA", user_id: "mia_li_1", ...reservation }],
    ["429815", { reservation_id: "429815", user_id: "raj_kim_2", ...reservation }],
  ]),
  users: new Map([
    [
      "mia_li_1",
      user(
        {
          gift_card_1: { source: "gift_card", amount: 500, id: "gift_card_1" },
          certificate_2: { source: "certificate", amount: 150, id: "certificate_2" },
          credit_card_3: { source: "credit_card", brand: "visa", last_four: "7447", id: "credit_card_3" },
        },
        ["AAAAAA"],
      ),
    ],
    ["raj_kim_2", user({ credit_card_4: { source: "credit_card", brand: "visa", last_four: "1111", id: "credit_card_4" } }, ["429815"])],
  ]),
});

export const airline = createAirlineEnvironment({
  database,
  tools: AIRLINE_TOOL_SCHEMAS,
  systemPrompt: AIRLINE_POLICY_DOCUMENT,
  tasks: [],
});

export function call(name: string, kwargs: object): EnvironmentCall {
  return { name, argumentsJson: JSON.stringify(kwargs) };
}

export function play(calls: readonly EnvironmentCall[], from: AirlineState = airline.reset()): AirlineState {
  return calls.reduce((state, next) => airline.step(state, next).state, from);
}

/** Everything a state holds, read anew: no remembered text can hide a change. */
export function snapshot(state: AirlineState): string {
  const collections = Array.from(state.database.collections.keys());
  return collections
    .flatMap((name) => {
      const written = state.changes.filter(({ collection }) => collection === name).map(({ id }) => id);
      const ids = new Set([...(state.database.collections.get(name)?.keys() ?? []), ...written]);
      return Array.from(ids, (id) => `${name}/${id}: ${dumps(state.find(name, id)?.fields ?? null)}`);
    })
    .join("\n");
}

export function taskWith(goldenActions: readonly EnvironmentCall[], outputs: readonly string[] = []): GoldenTask {
  return {
    schemaVersion: 1,
    id: "small-00",
    environment: "airline",
    userId: "mia_li_1",
    instruction: "",
    goldenActions: [...goldenActions],
    outputs: [...outputs],
    agenda: null,
    kind: "test",
    difficulty: { numWrites: 0, numReads: 0 },
  };
}

const reservationId = fc.constantFrom("AAAAAA", "429815", "HATHAT", "ZZZZZZ");
const userId = fc.constantFrom("mia_li_1", "raj_kim_2", "nobody");
const paymentId = fc.constantFrom("gift_card_1", "certificate_2", "credit_card_3", "credit_card_4", "gift_card_9");
const cabin = fc.constantFrom("basic_economy", "economy", "business", "first");
const segment = fc.record({
  flight_number: fc.constantFrom("HAT001", "HAT002", "HAT003", "HAT999"),
  date: fc.constantFrom("2024-05-20", "2024-05-21", "2024-06-01"),
});
const bags = fc.oneof(fc.integer({ min: -1, max: 3 }), fc.constantFrom<unknown>("1", null, 1.5, true));
const amount = fc.oneof(fc.constantFrom<unknown>(60, 90, 100, 100.5, 110, 160, "100", null), fc.integer({ min: 0, max: 600 }));
const passengers = fc.array(fc.constant(passenger), { maxLength: 2 });

const named = (name: string, kwargs: fc.Arbitrary<object>) => kwargs.map((value) => call(name, value));

export const readCall: fc.Arbitrary<EnvironmentCall> = fc.oneof(
  named("get_user_details", fc.record({ user_id: userId })),
  named("get_reservation_details", fc.record({ reservation_id: reservationId })),
  named(
    "search_direct_flight",
    fc.record({
      origin: fc.constantFrom("JFK", "ATL"),
      destination: fc.constantFrom("SEA", "ATL"),
      date: fc.constantFrom("2024-05-20", "2024-05-21"),
    }),
  ),
  named(
    "search_onestop_flight",
    fc.record({ origin: fc.constant("JFK"), destination: fc.constant("SEA"), date: fc.constantFrom("2024-05-20", "2024-05-21") }),
  ),
  named("list_all_airports", fc.constant({})),
  named("calculate", fc.record({ expression: fc.constantFrom("1 + 1", "1 / 0", "(") })),
  named("think", fc.record({ thought: fc.string() })),
  named("no_such_tool", fc.object()),
);

export const writeCall: fc.Arbitrary<EnvironmentCall> = fc.oneof(
  named("cancel_reservation", fc.record({ reservation_id: reservationId })),
  named("send_certificate", fc.record({ user_id: userId, amount })),
  named(
    "update_reservation_baggages",
    fc.record({ reservation_id: reservationId, total_baggages: bags, nonfree_baggages: bags, payment_id: paymentId }),
  ),
  named("update_reservation_passengers", fc.record({ reservation_id: reservationId, passengers })),
  named(
    "update_reservation_flights",
    fc.record({ reservation_id: reservationId, cabin, flights: fc.array(segment, { maxLength: 2 }), payment_id: paymentId }),
  ),
  named(
    "book_reservation",
    fc.record({
      user_id: userId,
      origin: fc.constant("JFK"),
      destination: fc.constant("SEA"),
      flight_type: fc.constant("one_way"),
      cabin,
      flights: fc.array(segment, { maxLength: 2 }),
      passengers,
      payment_methods: fc.array(fc.record({ payment_id: paymentId, amount }), { maxLength: 2 }),
      total_baggages: bags,
      nonfree_baggages: bags,
      insurance: fc.constantFrom("yes", "no"),
    }),
  ),
);

/** A booking that goes through: one flight in economy for 100 dollars. */
export const booking = call("book_reservation", {
  user_id: "mia_li_1",
  origin: "JFK",
  destination: "SEA",
  flight_type: "one_way",
  cabin: "economy",
  flights: [{ flight_number: "HAT001", date: "2024-05-20" }],
  passengers: [passenger],
  payment_methods: [{ payment_id: "gift_card_1", amount: 100 }],
  total_baggages: 0,
  nonfree_baggages: 0,
  insurance: "no",
});
