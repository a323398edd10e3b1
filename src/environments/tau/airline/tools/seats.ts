// What booking and changing flights share: is this flight bookable, and what does it cost.
import type { Draft } from "../../database.ts";
import { str } from "../../python/format.ts";
import { getItem, has, isLess, multiply } from "../../python/operations.ts";
import type { PyDict, PyValue } from "../../python/values.ts";
import { findRecord } from "../../record-access.ts";

/** A segment with price, origin and destination filled in, its price for all passengers, or the benchmark's refusal. */
export type PricedSegment = { readonly segment: PyDict; readonly total: PyValue } | { readonly refusal: string };

/** Looks up a wanted segment (flight number and date). `numPassengers` is a function: the original counts them for every flight anew. */
export function priceSegment(draft: Draft, wanted: PyValue, cabin: PyValue, numPassengers: () => number): PricedSegment {
  const number = getItem(wanted, "flight_number");
  const flight = findRecord(draft, "flights", number);
  if (flight === undefined) return { refusal: `Error: flight ${str(number)} not found` };
  const date = getItem(wanted, "date");
  const dates = getItem(flight.fields, "dates") as PyDict;
  if (!has(dates, date)) return { refusal: `Error: flight ${str(number)} not found on date ${str(date)}` };
  const onDate = getItem(dates, date);
  if (getItem(onDate, "status") !== "available") return { refusal: `Error: flight ${str(number)} not available on date ${str(date)}` };
  if (isLess(getItem(getItem(onDate, "available_seats"), cabin), numPassengers())) {
    return { refusal: `Error: not enough seats on flight ${str(number)}` };
  }
  const price = getItem(getItem(onDate, "prices"), cabin);
  const segment = fillSegment(wanted, price, getItem(flight.fields, "origin"), getItem(flight.fields, "destination"));
  return { segment, total: multiply(price, numPassengers()) };
}

/** The wanted segment with price, origin and destination set, other keys kept. */
export function fillSegment(wanted: PyValue, price: PyValue, origin: PyValue, destination: PyValue): PyDict {
  return (wanted as PyDict).with("price", price).with("origin", origin).with("destination", destination);
}
