// The airline's database: users, flights and reservations by id, and the routes through which flights are searched.
import { checkedCollection } from "../checked-collection.ts";
import { type Collection, Database, DatabaseRecord } from "../database.ts";
import { fromPlain, type PyDict, type PyValue } from "../python/values.ts";
import type { AirlineRecords } from "./records.ts";

/** Flights of one route in the order of the data. */
type Routes = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

export class AirlineDatabase extends Database {
  /** Flight ids by origin, then by destination. Origins and destinations never change. */
  private readonly routes: Routes;
  private readonly departures: ReadonlyMap<string, readonly string[]>;
  private readonly allFlights: readonly string[];

  constructor(collections: { readonly flights: Collection; readonly reservations: Collection; readonly users: Collection }) {
    super(new Map(Object.entries(collections)));
    this.routes = indexRoutes(collections.flights);
    this.allFlights = Array.from(collections.flights.keys());
    this.departures = Map.groupBy(collections.flights.keys(), (id) => String(collections.flights.get(id)?.fields.get("origin")));
  }

  /** Ids of the flights from `origin` in the order of the data; none for values that are no strings. */
  flightsFrom(origin: PyValue): readonly string[] {
    return (typeof origin === "string" ? this.departures.get(origin) : undefined) ?? [];
  }

  /** Ids of the flights from `origin` to `destination` in the order of the data; null fits every airport. */
  flightsBetween(origin: PyValue, destination: PyValue): readonly string[] {
    if (destination === null) return origin === null ? this.allFlights : this.flightsFrom(origin);
    if (origin === null)
      return this.allFlights.filter((id) => this.collections.get("flights")?.get(id)?.fields.get("destination") === destination);
    if (typeof origin !== "string" || typeof destination !== "string") return [];
    return this.routes.get(origin)?.get(destination) ?? [];
  }
}

function indexRoutes(flights: Collection): Routes {
  const routes = new Map<string, Map<string, string[]>>();
  for (const [id, { fields }] of flights) {
    const origin = String(fields.get("origin"));
    const destination = String(fields.get("destination"));
    const fromOrigin = routes.get(origin) ?? new Map<string, string[]>();
    routes.set(origin, fromOrigin.set(destination, [...(fromOrigin.get(destination) ?? []), id]));
  }
  return routes;
}

/** The database of records given as plain data, e.g. by the synthetic generator. Whole numbers are ints. */
export function createAirlineDatabase(records: AirlineRecords): AirlineDatabase {
  const collection = (source: ReadonlyMap<string, object>): Collection =>
    new Map(Array.from(source, ([id, fields]) => [id, new DatabaseRecord(fromPlain(fields) as PyDict)]));
  return new AirlineDatabase({
    flights: collection(records.flights),
    reservations: collection(records.reservations),
    users: collection(records.users),
  });
}

/**
 * The database of parsed JSON files.
 *
 * throws  CampaignError "environment.data-corrupt" naming the file and what it lacks
 */
export function airlineDatabaseFromJson(files: {
  readonly flights: PyValue;
  readonly reservations: PyValue;
  readonly users: PyValue;
}): AirlineDatabase {
  return new AirlineDatabase({
    flights: checkedCollection("flights.json", files.flights, {
      origin: "string",
      destination: "string",
      scheduled_departure_time_est: "string",
      scheduled_arrival_time_est: "string",
      dates: "dict",
    }),
    reservations: checkedCollection("reservations.json", files.reservations, {
      user_id: "string",
      flights: "list",
      passengers: "list",
      payment_history: "list",
    }),
    users: checkedCollection("users.json", files.users, { payment_methods: "dict", reservations: "list" }),
  });
}
