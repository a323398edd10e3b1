import type { Draft } from "../../database.ts";
import { repr, str } from "../../python/format.ts";
import { add, equals, getItem, has, isLess, iterate, len, multiply, subtract, sum } from "../../python/operations.ts";
import { dict, PyDict, PyError, type PyList, type PyValue } from "../../python/values.ts";
import { recordFields } from "../../record-access.ts";
import { FLIGHT_INFO, PASSENGER, PAYMENT, RESERVATION } from "../models.ts";
import { construct } from "../pydantic.ts";
import { findFlight, findFlightDate, findUser, flightInfoOf, toModels } from "./records.ts";
import { tau2Tool, valueError } from "./tau2-tool.ts";

const PARAMETERS = [
  "user_id",
  "origin",
  "destination",
  "flight_type",
  "cabin",
  "flights",
  "passengers",
  "payment_methods",
  "total_baggages",
  "nonfree_baggages",
  "insurance",
] as const;

/** Books a trip and takes the seats. Each payment is checked alone against its balance, then all are debited in order. */
export const bookReservation = tau2Tool("book_reservation", PARAMETERS, book, { isWrite: true });

function book(draft: Draft, ...values: PyValue[]): string {
  const given = PyDict.from(PARAMETERS.map((name, place) => [name, values[place] ?? null]));
  const argument = (name: (typeof PARAMETERS)[number]) => given.get(name) ?? null;
  const flights = toModels(argument("flights"), FLIGHT_INFO);
  const passengers = toModels(argument("passengers"), PASSENGER);
  const payments = toModels(argument("payment_methods"), PAYMENT);
  const user = findUser(draft, argument("user_id")).fields;
  const reservationId = newReservationId(draft);
  const reservation = construct(
    RESERVATION,
    PyDict.from([
      ...given,
      ["reservation_id", reservationId],
      ["flights", []],
      ["passengers", passengers],
      ["payment_history", payments],
      ["created_at", "2024-05-15T15:00:00"],
    ]),
  );

  const cabin = argument("cabin");
  const numPassengers = len(passengers);
  const segments: PyDict[] = [];
  let price: PyValue = 0;
  for (const item of iterate(flights)) {
    const segment = priceFlight(draft, item, flights !== argument("flights"), cabin, numPassengers);
    segments.push(segment);
    price = add(price, multiply(getItem(segment, "price"), numPassengers), "+=");
  }
  if (argument("insurance") === "yes") price = add(price, 30 * numPassengers, "+=");
  price = add(price, multiply(50, argument("nonfree_baggages")), "+=");

  checkPayments(getItem(user, "payment_methods") as PyDict, payments, price);
  const userId = String(argument("user_id"));
  pay(draft, userId, payments);
  for (const segment of segments) takeSeats(draft, segment, cabin, numPassengers);
  const record = draft.put("reservations", reservationId, reservation.with("flights", segments));
  const owner = recordFields(draft, "users", userId);
  draft.put("users", userId, owner.with("reservations", [...(getItem(owner, "reservations") as PyList), reservationId]));
  return record.json;
}

function newReservationId(draft: Draft): string {
  const id = ["HATHAT", "HATHAU", "HATHAV"].find((candidate) => draft.find("reservations", candidate) === undefined);
  if (id === undefined) throw valueError("Too many reservations");
  return id;
}

/** The segment as it stands in a reservation, if the flight has seats. */
export function priceFlight(draft: Draft, item: PyValue, isValidated: boolean, cabin: PyValue, numPassengers: number): PyDict {
  const { flightNumber, date } = flightInfoOf(item, isValidated);
  const flight = findFlight(draft, flightNumber).fields;
  const onDate = findFlightDate(draft, flightNumber, date);
  if (getItem(onDate, "status") !== "available") throw valueError(`Flight ${str(flightNumber)} not available on date ${str(date)}`);
  if (isLess(getItem(getItem(onDate, "available_seats"), cabin), numPassengers))
    throw valueError(`Not enough seats on flight ${str(flightNumber)}`);
  return dict(
    ["flight_number", flightNumber],
    ["origin", getItem(flight, "origin")],
    ["destination", getItem(flight, "destination")],
    ["date", date],
    ["price", getItem(getItem(onDate, "prices"), cabin)],
  );
}

function checkPayments(methods: PyDict, payments: PyValue, price: PyValue): void {
  for (const payment of iterate(payments)) {
    const id = getItem(payment, "payment_id");
    if (!has(methods, id)) throw valueError(`Payment method ${str(id)} not found`);
    const method = getItem(methods, id);
    const source = getItem(method, "source");
    const hasBalance = source === "gift_card" || source === "certificate";
    if (hasBalance && isLess(getItem(method, "amount"), getItem(payment, "amount")))
      throw valueError(`Not enough balance in payment method ${id}`);
  }
  const paid = sum(Array.from(iterate(payments), (payment) => getItem(payment, "amount")));
  if (equals(paid, price)) return;
  throw valueError(`Payment amount does not add up, total price is ${str(price)}, but paid ${str(paid)}`);
}

/** Debits gift cards and consumes certificates one by one: a certificate named twice is gone at the second time. */
function pay(draft: Draft, userId: string, payments: PyValue): void {
  for (const payment of iterate(payments)) {
    const id = getItem(payment, "payment_id");
    const user = recordFields(draft, "users", userId);
    const methods = getItem(user, "payment_methods") as PyDict;
    const method = getItem(methods, id) as PyDict;
    if (typeof id !== "string") throw new PyError("KeyError", repr(id));
    const source = getItem(method, "source");
    if (source === "gift_card") {
      const balance = subtract(getItem(method, "amount"), getItem(payment, "amount"), "-=");
      draft.put("users", userId, user.with("payment_methods", methods.with(id, method.with("amount", balance))));
    } else if (source === "certificate") {
      draft.put("users", userId, user.with("payment_methods", methods.without(id)));
    }
  }
}

function takeSeats(draft: Draft, segment: PyDict, cabin: PyValue, numPassengers: number): void {
  const number = String(getItem(segment, "flight_number"));
  const date = String(getItem(segment, "date"));
  const flight = recordFields(draft, "flights", number);
  const dates = getItem(flight, "dates") as PyDict;
  const onDate = getItem(dates, date) as PyDict;
  const seats = getItem(onDate, "available_seats") as PyDict;
  const left = seats.with(String(cabin), subtract(getItem(seats, cabin), numPassengers, "-="));
  draft.put("flights", number, flight.with("dates", dates.with(date, onDate.with("available_seats", left))));
}
