import fc from "fast-check";
import { expect, test } from "vitest";
import { createAirlineDatabase } from "#environments/tau/airline/database.ts";
import { createAirlineEnvironment } from "#environments/tau/airline/environment.ts";
import type { AirlineRecords, User } from "#environments/tau/airline/records.ts";
import { AIRLINE_TOOL_SCHEMAS } from "#environments/tau/airline/tool-schemas.ts";
import { airlineDomain, TAU_AIRLINE_RULES } from "#synthesis/airline/domain.ts";
import { synthesize } from "#synthesis/synthesize.ts";
import { createWorld } from "#synthesis/world.ts";
import { inputWith, records } from "./synthetic-input.ts";

/** Some records of a collection, by a number that decides which. */
function some<Value>(collection: ReadonlyMap<string, Value>, every: number): Map<string, Value> {
  return new Map(Array.from(collection).filter((_, index) => every > 0 && index % every === 0));
}

const without = ({ payment_methods, ...user }: User, source: string): User => ({
  ...user,
  payment_methods: Object.fromEntries(Object.entries(payment_methods).filter(([, method]) => method.source !== source)),
});

/** A part of the airline: users whose reservations are not there, flights that are gone, users who cannot pay. */
const anyRecords = fc
  .record({
    users: fc.constantFrom(0, 40, 100),
    reservations: fc.constantFrom(0, 1, 2),
    flights: fc.constantFrom(0, 1, 3),
    unpaid: fc.constantFrom("", "credit_card", "gift_card"),
  })
  .map(
    ({ users, reservations, flights, unpaid }): AirlineRecords => ({
      users: new Map(Array.from(some(records.users, users), ([id, user]) => [id, without(user, unpaid)])),
      reservations: some(records.reservations, reservations),
      flights: some(records.flights, flights),
    }),
  );

test("any part of a database is filled as far as it goes, and every task of it holds", () => {
  fc.assert(
    fc.property(anyRecords, fc.nat(100), (part, seed) => {
      const environment = createAirlineEnvironment({
        database: createAirlineDatabase(part),
        tools: AIRLINE_TOOL_SCHEMAS,
        systemPrompt: "",
        tasks: [],
      });
      const world = createWorld(environment);
      const options = { seed, writes: [0, 1, 2], evidence: [0, 1, 2, 4], perCell: 2 };
      const { tasks, cells, counts } = synthesize(inputWith(options, { world, domain: airlineDomain(world, TAU_AIRLINE_RULES) }));
      expect(counts).toMatchObject({ verified: tasks.length, problems: [], scriptedPasses: tasks.length });
      for (const { made, wanted, missing } of cells) expect(missing === null).toBe(made === wanted);
    }),
    { numRuns: 30 },
  );
});
