// Looking up records with tau2-bench's refusals, and reading arguments that may be lists of dicts.
import type { DatabaseRecord, Draft } from "../../database.ts";
import { str } from "../../python/format.ts";
import { getItem, has, iterate } from "../../python/operations.ts";
import { isDict, type PyDict, PyError, type PyValue, typeName } from "../../python/values.ts";
import { findRecord } from "../../record-access.ts";
import { construct, type Model } from "../pydantic.ts";
import { valueError } from "./tau2-tool.ts";

const find =
  (collection: string, title: string) =>
  (draft: Draft, id: PyValue): DatabaseRecord => {
    const record = findRecord(draft, collection, id);
    if (record === undefined) throw valueError(`${title} ${str(id)} not found`);
    return record;
  };

export const findUser = find("users", "User");
export const findReservation = find("reservations", "Reservation");
export const findFlight = find("flights", "Flight");

/** The flight's data of one date. */
export function findFlightDate(draft: Draft, flightNumber: PyValue, date: PyValue): PyDict {
  const dates = getItem(findFlight(draft, flightNumber).fields, "dates") as PyDict;
  if (!has(dates, date)) throw valueError(`Flight ${str(flightNumber)} not found on date ${str(date)}`);
  return getItem(dates, date) as PyDict;
}

/** A list of dicts becomes a list of validated models; anything with another item stays what it is. */
export function toModels(values: PyValue, model: Model): PyValue {
  const items = Array.from(iterate(values));
  return items.every(isDict) ? items.map((item) => construct(model, item)) : values;
}

/** Flight number and date of an item of the flights argument: only validated models have them as attributes. */
export function flightInfoOf(item: PyValue, isValidated: boolean): { readonly flightNumber: PyValue; readonly date: PyValue } {
  if (!isValidated || !isDict(item)) throw new PyError("AttributeError", `'${typeName(item)}' object has no attribute 'flight_number'`);
  return { flightNumber: item.get("flight_number") ?? null, date: item.get("date") ?? null };
}
