import { expect, test } from "vitest";
import type { Reservation } from "#environments/tau/airline/records.ts";
import { searchWrites } from "#synthesis/uniqueness.ts";
import { call } from "#synthesis/world.ts";
import { environment, records } from "./synthetic-input.ts";

const [first, second] = Array.from(records.reservations.values()).filter(({ passengers }) => passengers.length === 1) as [
  Reservation,
  Reservation,
];
const cancel = ({ reservation_id }: Reservation) => call("cancel_reservation", { reservation_id });
const person = (first_name: string) => ({ first_name, last_name: "Ito", dob: "1990-01-01" });
const rename = ({ reservation_id }: Reservation, name: string) =>
  call("update_reservation_passengers", { reservation_id, passengers: [person(name)] });

test("writes about different records are shortest, and their order does not matter", () => {
  expect(searchWrites(environment, [cancel(first), rename(second, "Mei"), rename(first, "Omar")])).toEqual({
    hasFailure: false,
    isOrderFree: true,
    isShortest: true,
  });
});

test("a write that another overwrites makes a path that is not shortest, and the order matters", () => {
  expect(searchWrites(environment, [rename(first, "Mei"), rename(first, "Omar")])).toEqual({
    hasFailure: false,
    isOrderFree: false,
    isShortest: false,
  });
});

test("a write that changes nothing can be left out", () => {
  const same = call("update_reservation_passengers", { reservation_id: second.reservation_id, passengers: second.passengers });
  expect(searchWrites(environment, [cancel(first), same])).toMatchObject({ isOrderFree: true, isShortest: false });
});

test("a failing write is reported", () => {
  expect(searchWrites(environment, [cancel(first), call("cancel_reservation", { reservation_id: "NOTHIN" })])).toMatchObject({
    hasFailure: true,
  });
});

test("no writes are the shortest way to the initial database", () => {
  expect(searchWrites(environment, [])).toEqual({ hasFailure: false, isOrderFree: true, isShortest: true });
});
