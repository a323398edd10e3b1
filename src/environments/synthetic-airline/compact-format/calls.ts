// Tool calls in compact form and back: short keys, handles for ids, `"trip"` for a search between a reservation's airports,
// `"flights": "same"` for a reservation's own. compactCall and realCall are inverse on calls whose ids were mentioned.
import { NumberText, parseArguments } from "#core/exact-json.ts";
import type { HandleTable } from "./handles.ts";
import { flightId, type Trip, tripBetween } from "./views.ts";

type Json = unknown;
type Arguments = Record<string, Json>;

const SHORT_KEYS: Readonly<Record<string, string>> = {
  user_id: "user",
  reservation_id: "trip",
  payment_id: "pay",
  origin: "from",
  destination: "to",
  total_baggages: "bags",
  nonfree_baggages: "extra",
};
const LONG_KEYS: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(SHORT_KEYS).map(([long, short]) => [short, long]));
const SHORT_CABIN: Readonly<Record<string, string>> = { basic_economy: "basic" };
const LONG_CABIN: Readonly<Record<string, string>> = { basic: "basic_economy" };
const KIND_OF_KEY = {
  user_id: "u",
  reservation_id: "r",
  payment_id: "p",
  origin: "a",
  destination: "a",
  date: "d",
} as const;
const SEARCHES: ReadonlySet<string> = new Set(["search_direct_flight", "search_onestop_flight"]);

export interface CallContext {
  readonly handles: HandleTable;
  readonly trips: ReadonlyMap<string, Trip>;
}

/** A real call as the model would write it. Malformed arguments stay as they are. */
export function compactCall(name: string, argumentsJson: string, context: CallContext): string {
  const args = parseArguments(argumentsJson);
  return name + (args === null ? argumentsJson : JSON.stringify(compactArguments(name, args, context)));
}

function compactArguments(name: string, args: Arguments, context: CallContext): Arguments {
  const trip = SEARCHES.has(name) ? tripBetween(context.trips, args["origin"], args["destination"]) : null;
  if (trip !== null && context.handles.find("r", trip.reservation_id) !== null) {
    const { origin: _, destination: __, ...rest } = args;
    return compactArguments(name, { reservation_id: trip.reservation_id, ...rest }, { ...context, trips: new Map() });
  }
  const short = ([key, value]: [string, Json]): [string, Json] => {
    if (key === "flights") return [key, compactFlights(value, args["reservation_id"], context)];
    if (key === "cabin") return [key, SHORT_CABIN[textOf(value)] ?? value];
    return [SHORT_KEYS[key] ?? key, compactValue(key, value, context.handles)];
  };
  return Object.fromEntries(Object.entries(args).map(short));
}

function compactFlights(flights: Json, reservationId: Json, { handles, trips }: CallContext): Json {
  if (!Array.isArray(flights)) return flights;
  const ids = flights.map((flight: Arguments | null) => flightId(textOf(flight?.["flight_number"]), textOf(flight?.["date"])));
  const own = trips.get(textOf(reservationId))?.flights.map((flight) => flightId(flight.flight_number, flight.date));
  if (own !== undefined && own.join() === ids.join()) return "same";
  const listed = ids.map((id) => handles.find("f", id));
  return listed.every((handle) => handle !== null) ? listed.join(" ") : flights;
}

function compactValue(key: string, value: Json, handles: HandleTable): Json {
  if (typeof value === "string") {
    const kind = KIND_OF_KEY[key as keyof typeof KIND_OF_KEY];
    return kind === undefined ? handles.compress(value, false) : (handles.find(kind, value) ?? value);
  }
  return mapValues(value, (inner, innerKey) => compactValue(innerKey, inner, handles));
}

export type ParsedCall = { readonly name: string; readonly argumentsJson: string } | { readonly parseError: string };

/** The real call behind compact text such as `cancel_reservation{"trip":"@r1"}`. Unknown tools and ids pass: the environment answers. */
export function realCall(name: string, compactJson: string, context: CallContext): ParsedCall {
  const args = parseArguments(compactJson);
  if (args === null) return { parseError: `arguments of ${name} are not a JSON object` };
  return { name, argumentsJson: JSON.stringify(realArguments(name, args, context)) };
}

function realArguments(name: string, args: Arguments, context: CallContext): Arguments {
  const tripId = expandText(args["trip"], context.handles);
  const trip = context.trips.get(textOf(tripId));
  const long = ([key, value]: [string, Json]): [string, Json][] => {
    if (key === "trip" && SEARCHES.has(name) && trip !== undefined)
      return [
        ["origin", trip.origin],
        ["destination", trip.destination],
      ];
    if (key === "flights") return [[key, realFlights(value, trip, context.handles)]];
    if (key === "cabin") return [[key, LONG_CABIN[textOf(value)] ?? value]];
    return [[LONG_KEYS[key] ?? key, realValue(value, context.handles)]];
  };
  return Object.fromEntries(Object.entries(args).flatMap(long));
}

function realFlights(flights: Json, trip: Trip | undefined, handles: HandleTable): Json {
  if (typeof flights !== "string") return realValue(flights, handles);
  if (flights === "same") return (trip?.flights ?? []).map(({ flight_number, date }) => ({ flight_number, date }));
  return flights.split(" ").map((handle) => {
    const [flight_number = handle, date] = (handles.id(handle) ?? handle).split(" on ");
    return date === undefined ? { flight_number } : { flight_number, date };
  });
}

function realValue(value: Json, handles: HandleTable): Json {
  return typeof value === "string" ? expandText(value, handles) : mapValues(value, (inner) => realValue(inner, handles));
}

const expandText = (value: Json, handles: HandleTable): Json => (typeof value === "string" ? handles.expand(value) : value);

/** For looking a value up. `String` fails on an object with a key "toString". */
const textOf = (value: Json): string => (typeof value === "object" && value !== null ? JSON.stringify(value) : String(value));

/** The same list or object with every value replaced; anything else as it is. */
function mapValues(value: Json, replace: (inner: Json, key: string) => Json): Json {
  if (Array.isArray(value)) return value.map((inner) => replace(inner, ""));
  if (typeof value !== "object" || value === null || value instanceof NumberText) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replace(inner, key)]));
}
