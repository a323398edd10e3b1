// The airline's database: users, flights and reservations by id, and the routes through which flights are searched.
import { CampaignError } from "../../errors.ts";
import { collectionFromJson, Database, DatabaseRecord, type Collection } from "../database.ts";
import { fromPlain, isDict, type PyDict, type PyValue } from "../python/values.ts";
import type { AirlineRecords } from "./records.ts";

/** Flights of one route in the order of the data. */
type Routes = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

export class AirlineDatabase extends Database {
  /** Flight ids by origin, then by destination. Origins and destinations never change. */
  private readonly routes: Routes;
  private readonly departures: ReadonlyMap<string, readonly string[]>;

  constructor(collections: { readonly flights: Collection; readonly reservations: Collection; readonly users: Collection }) {
    super(new Map(Object.entries(collections)));
    this.routes = indexRoutes(collections.flights);
    this.departures = Map.groupBy(collections.flights.keys(), (id) => String(collections.flights.get(id)?.fields.get("origin")));
  }

  /** Ids of the flights from `origin` in the order of the data. */
  flightsFrom(origin: PyValue): readonly string[] {
    return (typeof origin === "string" ? this.departures.get(origin) : undefined) ?? [];
  }

  /** Ids of the flights from `origin` to `destination`; none for values that are no strings. */
  flightsBetween(origin: PyValue, destination: PyValue): readonly string[] {
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
export function airlineDatabaseFromJson(files: { readonly flights: PyValue; readonly reservations: PyValue; readonly users: PyValue }): AirlineDatabase {
  return new AirlineDatabase({
    flights: checked("flights.json", files.flights, { origin: "string", destination: "string", scheduled_departure_time_est: "string", scheduled_arrival_time_est: "string", dates: "dict" }),
    reservations: checked("reservations.json", files.reservations, { user_id: "string", flights: "list", passengers: "list", payment_history: "list" }),
    users: checked("users.json", files.users, { payment_methods: "dict", reservations: "list" }),
  });
}

const KINDS = {
  string: (value: PyValue) => typeof value === "string",
  list: (value: PyValue) => Array.isArray(value),
  dict: isDict,
} as const;

function checked(file: string, value: PyValue, required: Readonly<Record<string, keyof typeof KINDS>>): Collection {
  const collection = collectionFromJson(value);
  if (collection === null) throw new CampaignError("environment.data-corrupt", `${file} is not an object of records`);
  for (const [id, { fields }] of collection) {
    for (const [field, kind] of Object.entries(required)) {
      if (KINDS[kind](fields.get(field) ?? null)) continue;
      throw new CampaignError("environment.data-corrupt", `${file}: record "${id}" has no field "${field}" of kind ${kind}`);
    }
  }
  return collection;
}
