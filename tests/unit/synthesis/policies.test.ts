// The two policies on records made by hand, with the decisions worked out by hand.
import { describe, expect, test } from "vitest";
import type { Reservation } from "#environments/tau/airline/records.ts";
import { TAU_AIRLINE_RULES, TAU2_AIRLINE_RULES } from "#synthesis/airline/domain.ts";
import { decideAirline } from "#synthesis/airline/policy.ts";
import type { AirlineWish } from "#synthesis/airline/wishes.ts";
import { type DatabaseReader, type Decision, Undecidable } from "#synthesis/decision.ts";
import { decideRetail } from "#synthesis/retail/policy.ts";
import type { RetailWish } from "#synthesis/retail/wishes.ts";
import { call, type Json, keyOf, type Read } from "#synthesis/world.ts";

function readerOf(answers: readonly (readonly [Read, unknown])[]): DatabaseReader {
  const known = new Map(answers.map(([read, answer]) => [keyOf(read), answer as Json]));
  const peek = (read: Read): Json => known.get(keyOf(read)) ?? null;
  const readOrThrow = (read: Read): Json => {
    const answer = peek(read);
    if (answer === null) throw new Undecidable(keyOf(read));
    return answer;
  };
  return { peek, read: readOrThrow };
}

/** What is done: the arguments of the write, the rule of a refusal, or the answer. */
function outcome(decision: Decision): unknown {
  if (decision.type === "write") return JSON.parse(decision.call.argumentsJson);
  return decision.type === "withhold" ? decision.rule : decision.outputs;
}

const flight = (flight_number: string, price: number) => ({ flight_number, origin: "SFO", destination: "JFK", date: "2024-05-20", price });
const TRIP: Reservation = {
  reservation_id: "R1",
  user_id: "mei",
  origin: "SFO",
  destination: "JFK",
  flight_type: "one_way",
  cabin: "economy",
  flights: [flight("HAT001", 120)],
  passengers: [
    { first_name: "Mei", last_name: "Ito", dob: "1990-01-01" },
    { first_name: "Raj", last_name: "Ito", dob: "1991-01-01" },
  ],
  payment_history: [{ payment_id: "credit_card_1", amount: 240 }],
  created_at: "2024-05-10T10:00:00",
  total_baggages: 2,
  nonfree_baggages: 0,
  insurance: "no",
};
const row = (flight_number: string, departure: string, economy: number, seats = 9) => ({
  flight_number,
  scheduled_departure_time_est: departure,
  available_seats: { basic_economy: seats, economy: seats, business: seats },
  prices: { basic_economy: 50, economy, business: 300 },
});
const search = (day: number) => call("search_direct_flight", { origin: "SFO", destination: "JFK", date: `2024-05-${day}` });

function airline(
  wish: object,
  { trip = {}, membership = "regular", rules = TAU_AIRLINE_RULES, more = [] as [Read, unknown][] } = {},
): unknown {
  const user = {
    name: { first_name: "Mei", last_name: "Ito" },
    dob: "1990-01-01",
    membership,
    reservations: ["R1"],
    payment_methods: { c: { source: "credit_card", id: "credit_card_1" } },
  };
  const reader = readerOf([
    [call("get_user_details", { user_id: "mei" }), user],
    [call("get_reservation_details", { reservation_id: "R1" }), { ...TRIP, ...trip }],
    [search(22), [row("HAT002", "06:00:00", 150), row("HAT003", "12:00:00", 110, 1)]],
    [search(23), [row("HAT004", "08:00:00", 130)]],
    ...more,
  ]);
  return outcome(decideAirline(rules, { userId: "mei", trip: { by: "id", id: "R1" }, ...wish } as AirlineWish, reader));
}

describe("the airline's policy", () => {
  const cancel = { kind: "cancel", reason: "health" };

  test.each([
    ["a day after booking, without insurance", {}, "cancellation-conditions-not-met"],
    ["within 24 hours of booking", { created_at: "2024-05-14T15:00:00" }, { reservation_id: "R1" }],
    ["in business", { cabin: "business" }, { reservation_id: "R1" }],
    ["with insurance and for a covered reason", { insurance: "yes" }, { reservation_id: "R1" }],
  ])("cancels %s: as the rules say", (_, trip, expected) => expect(airline(cancel, { trip: trip as object })).toEqual(expected));

  const bags = (added: number, mustBeFree = false) => ({ kind: "bags", added, mustBeFree, payment: { by: "id", id: "credit_card_1" } });

  test.each([
    ["regular", "economy", 1, 3, 1],
    ["silver", "economy", 2, 4, 0],
    ["gold", "economy", 5, 7, 1],
    ["gold", "business", 6, 8, 2],
  ])("counts free bags of a %s member in %s: %i more", (membership, cabin, added, total, nonfree) => {
    expect(airline(bags(added), { membership, trip: { cabin } })).toMatchObject({ total_baggages: total, nonfree_baggages: nonfree });
  });

  test("of tau2 gives gold members four free bags in business", () => {
    expect(airline(bags(6), { membership: "gold", trip: { cabin: "business" }, rules: TAU2_AIRLINE_RULES })).toMatchObject({
      nonfree_baggages: 0,
    });
  });

  test("adds no bag for a user who pays for none, and removes none", () => {
    expect(airline(bags(1, true))).toBe("extra-bags-are-not-free");
    expect(airline(bags(1, true), { membership: "silver" })).toMatchObject({ total_baggages: 3, nonfree_baggages: 0 });
    expect(airline(bags(-1))).toBe("bags-cannot-be-removed");
  });

  const move = {
    kind: "flight",
    choice: { dates: ["2024-05-22", "2024-05-23"], preference: "cheapest" },
    payment: { by: "source", source: "credit_card" },
  };

  test("moves to the cheapest flight with seats for all, and not in basic economy", () => {
    expect(airline(move)).toMatchObject({
      cabin: "economy",
      flights: [{ flight_number: "HAT004", date: "2024-05-23" }],
      payment_id: "credit_card_1",
    });
    expect(airline(move, { trip: { passengers: TRIP.passengers.slice(0, 1) } })).toMatchObject({ flights: [{ flight_number: "HAT003" }] });
    expect(airline(move, { trip: { cabin: "basic_economy" } })).toBe("basic-economy-flights-cannot-be-changed");
  });

  test("upgrades within the budget: two passengers, 300 instead of 120 each", () => {
    const upgrade = (budget: number | null) => ({
      kind: "cabin",
      cabin: "business",
      payment: { by: "id", id: "credit_card_1" },
      budget,
      isFirstFlightOnly: false,
    });
    const trip = { flights: [{ ...flight("HAT002", 120), date: "2024-05-22" }] };
    expect(airline(upgrade(360), { trip })).toMatchObject({
      cabin: "business",
      flights: [{ flight_number: "HAT002", date: "2024-05-22" }],
    });
    expect(airline(upgrade(359), { trip })).toBe("over-the-users-budget");
    expect(airline({ ...upgrade(null), isFirstFlightOnly: true }, { trip: { flights: [flight("HAT001", 1), flight("HAT009", 1)] } })).toBe(
      "one-cabin-for-all-flights",
    );
  });

  const complaint = { kind: "certificate", flight: { flight_number: "HAT001", date: "2024-05-20" } };

  test.each([
    ["regular", {}, "no-compensation-for-this-trip"],
    ["regular", { insurance: "yes" }, { user_id: "mei", amount: 200 }],
    ["regular", { cabin: "business" }, { user_id: "mei", amount: 200 }],
    ["silver", {}, { user_id: "mei", amount: 200 }],
  ])("compensates a %s member for two passengers: %o", (membership, trip, expected) => {
    expect(airline(complaint, { membership, trip })).toEqual(expected);
  });

  test("of tau2 looks the flight up before it believes the complaint", () => {
    const status = (text: string): [Read, unknown][] => [[call("get_flight_status", complaint.flight), text]];
    const silver = { membership: "silver", rules: TAU2_AIRLINE_RULES };
    expect(airline(complaint, { ...silver, more: status("landed") })).toBe("the-flight-was-not-cancelled");
    expect(airline(complaint, { ...silver, more: status("cancelled") })).toEqual({ user_id: "mei", amount: 200 });
  });

  test("books for five passengers at most", () => {
    const book = (numCompanions: number) => ({
      kind: "book",
      origin: "SFO",
      destination: "JFK",
      cabin: "economy",
      choice: { dates: ["2024-05-22"], preference: "earliest" },
      birthday: null,
      name: { first_name: "Mei", last_name: "Ito" },
      companions: Array.from({ length: numCompanions }, () => TRIP.passengers[1]),
      payment: { by: "id", id: "credit_card_1" },
    });
    expect(airline(book(4))).toMatchObject({
      flights: [{ flight_number: "HAT002" }],
      payment_methods: [{ payment_id: "credit_card_1", amount: 750 }],
    });
    expect(airline(book(5))).toBe("five-passengers-at-most");
  });
});

const ITEM = { name: "Lamp", product_id: "1", item_id: "11", price: 10.1, options: { color: "red", size: "S" } };
const variant = (item_id: string, color: string, price: number, available = true) => ({
  item_id,
  options: { size: "S", color },
  available,
  price,
});

function shop(wish: object, order: object = {}): unknown {
  const reader = readerOf([
    [call("find_user_id_by_email", { email: "mei@example.com" }), "mei"],
    [
      call("get_user_details", { user_id: "mei" }),
      {
        orders: ["#1"],
        address: { address1: "1 A St", address2: "", city: "X", state: "TX", country: "USA", zip: "1" },
        payment_methods: { p: { source: "paypal", id: "paypal_1" } },
      },
    ],
    [
      call("get_order_details", { order_id: "#1" }),
      {
        order_id: "#1",
        user_id: "mei",
        items: [ITEM],
        status: "pending",
        payment_history: [{ transaction_type: "payment", amount: 10.1, payment_method_id: "credit_card_1" }],
        ...order,
      },
    ],
    [
      call("get_product_details", { product_id: "1" }),
      { variants: { 12: variant("12", "blue", 12.2), 13: variant("13", "green", 9.9, false), 11: variant("11", "red", 10.1) } },
    ],
    [call("list_all_product_types", {}), { Lamp: "1" }],
  ]);
  return outcome(
    decideRetail({ proof: { by: "email", email: "mei@example.com" }, order: { by: "id", id: "#1" }, ...wish } as RetailWish, reader),
  );
}

describe("the shop's policy", () => {
  const cancel = { kind: "cancel", reason: "no longer needed", onlyItem: null };
  const change = { kind: "modify", changes: [{ product: "Lamp", option: "color", value: "blue" }], payment: { by: "original" } };
  const giveBack = { kind: "return", products: ["Lamp"], refund: { by: "source", source: "paypal" } };

  test("cancels whole pending orders of the user, for the two reasons", () => {
    expect(shop(cancel)).toEqual({ order_id: "#1", reason: "no longer needed" });
    expect(shop({ ...cancel, reason: "found it cheaper elsewhere" })).toBe("reason-not-accepted");
    expect(shop(cancel, { user_id: "raj" })).toBe("another-users-order");
    expect(shop({ ...cancel, onlyItem: "Lamp" }, { items: [ITEM, { ...ITEM, item_id: "2" }] })).toBe("an-order-is-cancelled-as-a-whole");
    expect(shop({ ...cancel, onlyItem: "Lamp" })).toEqual({ order_id: "#1", reason: "no longer needed" });
    expect(() => shop(cancel, { status: "processed" })).toThrow(Undecidable);
  });

  test("changes items to what is in stock, with every other option kept", () => {
    expect(shop(change)).toEqual({ order_id: "#1", item_ids: ["11"], new_item_ids: ["12"], payment_method_id: "credit_card_1" });
    expect(() => shop({ ...change, changes: [{ product: "Lamp", option: "color", value: "green" }] })).toThrow(Undecidable);
    expect(() => shop({ ...change, kind: "exchange" })).toThrow(Undecidable);
    expect(shop({ ...change, kind: "exchange" }, { status: "delivered" })).toMatchObject({ new_item_ids: ["12"] });
  });

  test("takes back what was delivered only", () => {
    expect(shop(giveBack, { status: "delivered" })).toEqual({ order_id: "#1", item_ids: ["11"], payment_method_id: "paypal_1" });
    expect(shop(giveBack)).toBe("only-delivered-orders-are-returned");
  });

  test("tells prices and payments to the cent", () => {
    expect(shop({ kind: "price", products: ["Lamp"] })).toEqual(["10.1"]);
    expect(
      shop(
        { kind: "paid" },
        { payment_history: [0.1, 0.2, 10.1].map((amount) => ({ transaction_type: "payment", amount, payment_method_id: "x" })) },
      ),
    ).toEqual(["10.4"]);
  });
});
