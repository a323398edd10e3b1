// The two flight searches. Rows are the flight without its dates, then the data of the date.
import type { DatabaseRecord, Draft } from "../../database.ts";
import { dumps, repr } from "../../python/format.ts";
import { getItem, has, isGreater } from "../../python/operations.ts";
import { parseInteger, sliceFrom } from "../../python/text.ts";
import { PyDict, PyError, type PyValue } from "../../python/values.ts";
import type { AirlineDatabase } from "../database.ts";
import { airlineTool } from "./airline-tool.ts";

export const searchDirectFlight = airlineTool(
  "search_direct_flight",
  ["origin", "destination", "date"],
  (draft: Draft, origin: PyValue, destination: PyValue, date: PyValue) => {
    const rows: string[] = [];
    for (const flight of flightsBetween(draft, origin, destination)) {
      if (isAvailable(flight, date)) rows.push(`${openRow(flight, date)}}`);
    }
    return `[${rows.join(", ")}]`;
  },
);

/**
 * Pairs of flights over one stop. As in the benchmark, a first flight that lands on the next day ("+1") looks for the second on the day after
 * without zero padding, but shows the second flight's data of the first day; times of day are compared as texts.
 */
export const searchOnestopFlight = airlineTool(
  "search_onestop_flight",
  ["origin", "destination", "date"],
  (draft: Draft, origin: PyValue, destination: PyValue, date: PyValue) => {
    const rows: string[] = [];
    for (const [first, second] of connections(draft, origin, destination)) {
      const arrival = String(first.fields.get("scheduled_arrival_time_est"));
      const secondDate = arrival.includes("+1") ? dayAfter(date) : date;
      if (isGreater(arrival, getItem(second.fields, "scheduled_departure_time_est"))) continue;
      if (!isAvailable(first, date) || !isAvailable(second, secondDate)) continue;
      rows.push(`[${openRow(first, date)}, "date": ${dumps(date)}}, ${openRow(second, date)}, "date": ${dumps(secondDate)}}]`);
    }
    return `[${rows.join(", ")}]`;
  },
);

function flightsBetween(draft: Draft, origin: PyValue, destination: PyValue): DatabaseRecord[] {
  const database = draft.state.database as AirlineDatabase;
  if (origin === null || destination === null) return [];
  return database.flightsBetween(origin, destination).flatMap((id) => draft.find("flights", id) ?? []);
}

/** All pairs of flights in the order of the data: first flights as they come, second flights of each as they come. */
function* connections(draft: Draft, origin: PyValue, destination: PyValue): Generator<readonly [DatabaseRecord, DatabaseRecord]> {
  const database = draft.state.database as AirlineDatabase;
  for (const id of database.flightsFrom(origin)) {
    const first = draft.find("flights", id);
    if (first === undefined) continue;
    for (const second of flightsBetween(draft, getItem(first.fields, "destination"), destination)) yield [first, second];
  }
}

/** `date in flight["dates"] and flight["dates"][date]["status"] == "available"` */
function isAvailable(flight: DatabaseRecord, date: PyValue): boolean {
  const dates = getItem(flight.fields, "dates") as PyDict;
  return has(dates, date) && getItem(getItem(dates, date), "status") === "available";
}

function dayAfter(date: PyValue): string {
  return `2024-05-${parseInteger(sliceFrom(date, -2)) + 1}`;
}

const openRows = new WeakMap<DatabaseRecord, Map<string, string>>();

/** The JSON of a row without its closing brace. Throws KeyError when the flight has no such date. */
function openRow(flight: DatabaseRecord, date: PyValue): string {
  if (typeof date !== "string") throw new PyError("KeyError", repr(date));
  const known = openRows.get(flight) ?? new Map<string, string>();
  if (known.size === 0) openRows.set(flight, known);
  const found = known.get(date);
  if (found !== undefined) return found;
  const onDate = getItem(getItem(flight.fields, "dates"), date) as PyDict;
  const row = PyDict.from([...Array.from(flight.fields).filter(([key]) => key !== "dates"), ...onDate]);
  const text = dumps(row).slice(0, -1);
  known.set(date, text);
  return text;
}
