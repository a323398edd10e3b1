// The two flight searches of tau2-bench. A missing origin or destination (null) fits every flight.
import type { AirlineDatabase } from "../../airline/database.ts";
import type { DatabaseRecord, Draft } from "../../database.ts";
import { dumps } from "../../python/format.ts";
import { compareStrings, getItem, has } from "../../python/operations.ts";
import { parseInteger, sliceFrom } from "../../python/text.ts";
import type { PyDict, PyValue } from "../../python/values.ts";
import { tau2Tool } from "./tau2-tool.ts";

export const searchDirectFlight = tau2Tool(
  "search_direct_flight",
  ["origin", "destination", "date"],
  (draft: Draft, origin: PyValue, destination: PyValue, date: PyValue) => {
    const rows = available(draft, { origin, destination, date, after: null }).map((flight) => row(flight, date, null));
    return `[${rows.join(", ")}]`;
  },
);

/** As in tau-bench, the day after an overnight flight is written without zero padding. */
export const searchOnestopFlight = tau2Tool(
  "search_onestop_flight",
  ["origin", "destination", "date"],
  (draft: Draft, origin: PyValue, destination: PyValue, date: PyValue) => {
    const rows: string[] = [];
    for (const first of available(draft, { origin, destination: null, date, after: null })) {
      const arrival = String(getItem(first.fields, "scheduled_arrival_time_est"));
      const secondDate = arrival.includes("+1") ? `2024-05-${parseInteger(sliceFrom(date, -2)) + 1}` : date;
      const stop = getItem(first.fields, "destination");
      for (const second of available(draft, { origin: stop, destination, date: secondDate, after: arrival })) {
        rows.push(`[${row(first, date, date)}, ${row(second, secondDate, secondDate)}]`);
      }
    }
    return `[${rows.join(", ")}]`;
  },
);

interface Search {
  readonly origin: PyValue;
  readonly destination: PyValue;
  readonly date: PyValue;
  /** Earliest time of departure, compared as text. */
  readonly after: string | null;
}

function available(draft: Draft, { origin, destination, date, after }: Search): DatabaseRecord[] {
  const database = draft.state.database as AirlineDatabase;
  const found: DatabaseRecord[] = [];
  for (const id of database.flightsBetween(origin, destination)) {
    const flight = draft.find("flights", id);
    if (flight === undefined) continue;
    const dates = getItem(flight.fields, "dates") as PyDict;
    if (!has(dates, date) || getItem(getItem(dates, date), "status") !== "available") continue;
    if (after !== null && compareStrings(String(getItem(flight.fields, "scheduled_departure_time_est")), after) < 0) continue;
    found.push(flight);
  }
  return found;
}

const rowParts = new WeakMap<DatabaseRecord, Map<string, readonly [string, string]>>();

/** The JSON of one row; `shownDate` stands in its middle. */
function row(flight: DatabaseRecord, date: PyValue, shownDate: PyValue): string {
  const known = rowParts.get(flight) ?? new Map<string, readonly [string, string]>();
  if (known.size === 0) rowParts.set(flight, known);
  const [before, after] = known.get(String(date)) ?? partsOfRow(flight.fields, date);
  known.set(String(date), [before, after]);
  return `${before}${dumps(shownDate)}${after}`;
}

function partsOfRow(flight: PyDict, date: PyValue): readonly [string, string] {
  const field = (key: string) => dumps(getItem(flight, key));
  const onDate = getItem(getItem(flight, "dates"), date);
  const before = [
    `{"flight_number": ${field("flight_number")}, "origin": ${field("origin")}, "destination": ${field("destination")}, "status": "available"`,
    `"scheduled_departure_time_est": ${field("scheduled_departure_time_est")}, "scheduled_arrival_time_est": ${field("scheduled_arrival_time_est")}, "date": `,
  ].join(", ");
  const after = `, "available_seats": ${dumps(getItem(onDate, "available_seats"))}, "prices": ${dumps(getItem(onDate, "prices"))}}`;
  return [before, after];
}
