import { expect, test } from "vitest";
import { generateAirline } from "#environments/synthetic-airline/database.ts";
import { freeBagsEach } from "#environments/synthetic-airline/rules.ts";

const airline = generateAirline(1);

test("an airline has 500 users, 300 flights on 30 dates and 2,000 reservations", () => {
  expect([airline.users.size, airline.flights.size, airline.reservations.size]).toEqual([500, 300, 2000]);
  for (const flight of airline.flights.values()) expect(Object.keys(flight.dates)).toHaveLength(30);
});

test("the same seed gives the same airline, another seed another one", () => {
  expect(generateAirline(1)).toEqual(airline);
  expect([...generateAirline(2).users.keys()]).not.toEqual([...airline.users.keys()]);
});

test("users and reservations name each other", () => {
  for (const [userId, user] of airline.users) {
    for (const id of user.reservations) expect(airline.reservations.get(id)?.user_id).toBe(userId);
  }
  expect([...airline.users.values()].flatMap((user) => user.reservations)).toHaveLength(2000);
});

test("a reservation's flights exist, connect, and lead from its origin to its destination", () => {
  for (const { flights, origin, destination, flight_type } of airline.reservations.values()) {
    for (const segment of flights) {
      expect(airline.flights.get(segment.flight_number)).toMatchObject({ origin: segment.origin, destination: segment.destination });
    }
    for (const [index, segment] of flights.slice(1).entries()) expect(segment.origin).toBe(flights[index]?.destination);
    expect(flights[0]?.origin).toBe(origin);
    expect(flights.at(-1)?.destination).toBe(flight_type === "round_trip" ? origin : destination);
  }
});

test("paid bags are exactly those beyond the allowance", () => {
  for (const trip of airline.reservations.values()) {
    const free = freeBagsEach(airline.users.get(trip.user_id)?.membership ?? "regular", trip.cabin) * trip.passengers.length;
    expect(trip.nonfree_baggages).toBe(Math.max(0, trip.total_baggages - free));
  }
});

test("every user has a card or a gift card, and at most one method of a source", () => {
  for (const user of airline.users.values()) {
    const sources = Object.values(user.payment_methods).map(({ source }) => source);
    expect(new Set(sources).size).toBe(sources.length);
    expect(sources.some((source) => source !== "certificate")).toBe(true);
  }
});

test("no reservation id looks like a number or a word", () => {
  for (const id of airline.reservations.keys()) expect(id).toMatch(/^[A-Z](?=[A-Z0-9]*\d)[A-Z0-9]{5}$/);
});
