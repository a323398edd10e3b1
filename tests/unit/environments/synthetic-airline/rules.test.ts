import { expect, test } from "vitest";
import { freeBagsEach, isMadeWithin24Hours, mayCancel, mayCompensate } from "#environments/synthetic-airline/rules.ts";

const trip = { cabin: "economy", insurance: "no", created_at: "2024-05-10T10:00:00" } as const;

test("free bags are tau-bench's table", () => {
  const cabins = ["basic_economy", "economy", "business"] as const;
  const table = (["regular", "silver", "gold"] as const).map((membership) => cabins.map((cabin) => freeBagsEach(membership, cabin)));
  expect(table).toEqual([
    [0, 1, 2],
    [1, 2, 3],
    [2, 3, 3],
  ]);
});

test("24 hours before 2024-05-15 15:00 are still within 24 hours, one second more is not", () => {
  expect(isMadeWithin24Hours("2024-05-14T15:00:00")).toBe(true);
  expect(isMadeWithin24Hours("2024-05-14T14:59:59")).toBe(false);
});

test("a trip can be cancelled when it is new, in business, or insured for this reason, and not otherwise", () => {
  expect(mayCancel(trip, "health")).toBe(false);
  expect(mayCancel({ ...trip, created_at: "2024-05-15T10:00:00" }, "change of plan")).toBe(true);
  expect(mayCancel({ ...trip, cabin: "business" }, "change of plan")).toBe(true);
  expect(mayCancel({ ...trip, insurance: "yes" }, "weather")).toBe(true);
  expect(mayCancel({ ...trip, insurance: "yes" }, "change of plan")).toBe(false);
});

test("regular members without insurance outside business get no compensation, everyone else does", () => {
  expect(mayCompensate("regular", trip)).toBe(false);
  expect(mayCompensate("silver", trip)).toBe(true);
  expect(mayCompensate("regular", { ...trip, insurance: "yes" })).toBe(true);
  expect(mayCompensate("regular", { ...trip, cabin: "business" })).toBe(true);
});
