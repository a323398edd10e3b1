import { expect, test } from "vitest";
import type { Task } from "#contracts/task.ts";
import { deriveAgenda } from "#simulators/derive-agenda.ts";
import { scriptedReply } from "#simulators/scripted.ts";

function task(
  goldenActions: readonly (readonly [string, object])[],
  instruction = "You are Mei Brown. You want to know if your flight is late.",
): Task {
  return {
    schemaVersion: 1,
    id: "t",
    environment: "airline",
    userId: "mei_brown_7075",
    instruction,
    outputs: [],
    agenda: null,
    kind: "test",
    goldenActions: goldenActions.map(([name, args]) => ({ name, argumentsJson: JSON.stringify(args) })),
    difficulty: { numWrites: 0, numReads: 0 },
  };
}

test("each golden write becomes a wish, reads become none", () => {
  const { wishes } = deriveAgenda(
    task([
      ["get_user_details", { user_id: "mei_brown_7075" }],
      ["cancel_reservation", { reservation_id: "PEP4E0" }],
      ["update_reservation_baggages", { reservation_id: "JG7FMM", total_baggages: 3, nonfree_baggages: 1, payment_id: "gift_card_1" }],
    ]),
  );
  expect(wishes.map(({ kind, trip }) => [kind, trip?.id])).toEqual([
    ["cancel", "PEP4E0"],
    ["bags", "JG7FMM"],
  ]);
  expect(wishes[1]?.words).toContain("JG7FMM");
  expect(wishes[1]?.payment).toBe("gift_card_1");
});

test("a task without writes is told in the first person, without stage directions", () => {
  const agenda = deriveAgenda(
    task([], "Your user id is mei_brown_7075. You want to change your flight. If and only if the agent refuses, you get angry."),
  );
  expect(agenda.wishes).toHaveLength(1);
  expect(agenda.wishes[0]?.words).toBe("I want to change my flight.");
});

test("a booking says what it needs in words", () => {
  const { wishes } = deriveAgenda(
    task([
      [
        "book_reservation",
        {
          user_id: "mei_brown_7075",
          origin: "JFK",
          destination: "SEA",
          flight_type: "one_way",
          cabin: "economy",
          flights: [{ flight_number: "HAT136", date: "2024-05-20" }],
          passengers: [{ first_name: "Mei", last_name: "Brown", dob: "1990-04-05" }],
          payment_methods: [{ payment_id: "credit_card_4421486", amount: 5 }],
          total_baggages: 1,
          nonfree_baggages: 0,
          insurance: "no",
        },
      ],
    ]),
  );
  expect(wishes[0]?.words).toBe("I want to book a one way trip from JFK to SEA in economy with flight HAT136 on 2024-05-20.");
  expect(wishes[0]?.details).toContain("Mei Brown, born 1990-04-05");
});

test("a derived user opens with the wish and gives the user id on request", () => {
  const derived = task([["cancel_reservation", { reservation_id: "PEP4E0" }]]);
  const firstUserMessage = scriptedReply(derived, { firstUserMessage: null, exchanges: [] }, "s");
  expect(firstUserMessage).toContain("PEP4E0");
  const answer = scriptedReply(derived, { firstUserMessage, exchanges: [{ agent: "may i have your user id?", user: null }] }, "s");
  expect(answer).toContain("mei_brown_7075");
});

test("a customer of the shop says at once who they are, then each write with its ids, reads become nothing", () => {
  const retail = {
    ...task([
      ["find_user_id_by_name_zip", { first_name: "Yusuf", last_name: "Rossi", zip: "19122" }],
      ["get_order_details", { order_id: "#W1" }],
      [
        "exchange_delivered_order_items",
        { order_id: "#W1", item_ids: ["11", "12"], new_item_ids: ["21", "22"], payment_method_id: "paypal_1" },
      ],
      ["cancel_pending_order", { order_id: "#W2", reason: "no longer needed" }],
    ]),
    environment: "retail",
  };
  expect(deriveAgenda(retail).wishes.map(({ words }) => words)).toEqual([
    "I am Yusuf Rossi, zip code 19122. I want to exchange item 11 for 21 and item 12 for 22 of order #W1, and settle the difference with paypal_1.",
    "I want to cancel order #W2, I no longer need it.",
  ]);
});

test("a customer whom no golden action looks up is who the instruction says", () => {
  const retail = {
    ...task(
      [["modify_pending_order_payment", { order_id: "#W1", payment_method_id: "paypal_1" }]],
      "Your name is Omar Anderson and your zip code is 19031. You are polite. Pay #W1 by paypal_1.",
    ),
    environment: "retail",
  };
  expect(deriveAgenda(retail).wishes[0]?.words).toBe(
    "My name is Omar Anderson and my zip code is 19031. I want to pay order #W1 with paypal_1 instead.",
  );
});

test("the labels of a scenario are not said", () => {
  const scenario =
    "Instructions:\n\tDomain: airline\n\tReason for call:\n\t\tYou want to cancel your trip.\n\tKnown info:\n\t\tYou are Mei Brown.\n\tTask instructions:\n\t\tYou have two bags.";
  expect(deriveAgenda(task([], scenario)).wishes[0]?.words).toBe("I want to cancel my trip. I am Mei Brown. I have two bags.");
});

test("arguments are spoken as they are written: every digit, and nothing for none", () => {
  const base = task([]);
  const golden = (name: string, argumentsJson: string) => ({ ...base, goldenActions: [{ name, argumentsJson }] });
  const bags = deriveAgenda(golden("update_reservation_baggages", '{"reservation_id": 2512292042121000001, "total_baggages": 2.0}'));
  expect(bags.wishes[0]?.words).toContain("2 checked bags in all for reservation 2512292042121000001");
  for (const none of ["", "null", "{}"])
    expect(deriveAgenda(golden("list_all_airports", none)).wishes.map(({ kind }) => kind)).toEqual(["other"]);
});
