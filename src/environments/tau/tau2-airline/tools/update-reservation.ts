// Changes to a reservation, and certificates.
import type { Draft } from "../../database.ts";
import { str } from "../../python/format.ts";
import { add, equals, getItem, has, isGreater, isLess, iterate, len, multiply, negate, subtract, sum } from "../../python/operations.ts";
import { dict, type PyDict, type PyList, type PyValue } from "../../python/values.ts";
import { recordFields } from "../../record-access.ts";
import { CERTIFICATE, FLIGHT_INFO, PASSENGER, PAYMENT } from "../models.ts";
import { construct } from "../pydantic.ts";
import { priceFlight } from "./book-reservation.ts";
import { findReservation, findUser, flightInfoOf, toModels } from "./records.ts";
import { tau2Tool, valueError } from "./tau2-tool.ts";

/** Appends the negated payment history and sets the status; nothing is checked, no seat is released. */
export const cancelReservation = tau2Tool(
  "cancel_reservation",
  ["reservation_id"],
  (draft: Draft, reservationId: PyValue) => {
    const reservation = findReservation(draft, reservationId).fields;
    const history = getItem(reservation, "payment_history") as PyList;
    const refunds = history.map((payment) =>
      dict(["payment_id", getItem(payment, "payment_id")], ["amount", negate(getItem(payment, "amount"))]),
    );
    const refunded = reservation.with("payment_history", [...history, ...refunds]);
    return draft.put("reservations", String(reservationId), refunded.with("status", "cancelled")).json;
  },
  { isWrite: true },
);

const CERTIFICATE_IDS = ["certificate_3221322", "certificate_3221323", "certificate_3221324"];

export const sendCertificate = tau2Tool(
  "send_certificate",
  ["user_id", "amount"],
  (draft: Draft, userId: PyValue, amount: PyValue) => {
    const user = findUser(draft, userId).fields;
    const methods = getItem(user, "payment_methods") as PyDict;
    const id = CERTIFICATE_IDS.find((candidate) => !has(methods, candidate));
    if (id === undefined) throw valueError("Too many certificates");
    const certificate = construct(CERTIFICATE, dict(["id", id], ["amount", amount], ["source", "certificate"]));
    draft.put("users", String(userId), user.with("payment_methods", methods.with(id, certificate)));
    return `Certificate ${id} added to user ${String(userId)} with amount ${str(amount)}.`;
  },
  { isWrite: true },
);

/** Charges bags beyond the ones that were paid; the new numbers are stored as they were given. */
export const updateReservationBaggages = tau2Tool(
  "update_reservation_baggages",
  ["reservation_id", "total_baggages", "nonfree_baggages", "payment_id"],
  (draft: Draft, reservationId: PyValue, totalBaggages: PyValue, nonfreeBaggages: PyValue, paymentId: PyValue) => {
    const reservation = findReservation(draft, reservationId).fields;
    findUser(draft, getItem(reservation, "user_id"));
    const added = subtract(nonfreeBaggages, getItem(reservation, "nonfree_baggages"));
    const price = multiply(50, isGreater(added, 0) ? added : 0);
    const paid = payForUpdate(draft, reservation, paymentId, price);
    const changed = paid.with("total_baggages", totalBaggages).with("nonfree_baggages", nonfreeBaggages);
    return draft.put("reservations", String(reservationId), changed).json;
  },
  { isWrite: true },
);

/** Replaces the flights and the cabin and charges the difference; seats stay as they are. */
export const updateReservationFlights = tau2Tool(
  "update_reservation_flights",
  ["reservation_id", "cabin", "flights", "payment_id"],
  (draft: Draft, reservationId: PyValue, cabin: PyValue, flights: PyValue, paymentId: PyValue) => {
    const wanted = toModels(flights, FLIGHT_INFO);
    const reservation = findReservation(draft, reservationId).fields;
    findUser(draft, getItem(reservation, "user_id"));
    const numPassengers = () => len(getItem(reservation, "passengers"));
    const segments: PyDict[] = [];
    let price: PyValue = 0;
    for (const item of iterate(wanted)) {
      const kept = keptSegment(reservation, item, wanted !== flights, cabin);
      const segment = kept ?? priceFlight(draft, item, wanted !== flights, cabin, numPassengers());
      segments.push(segment);
      price = add(price, multiply(getItem(segment, "price"), numPassengers()), "+=");
    }
    const oldPrices = (getItem(reservation, "flights") as PyList).map((flight) => getItem(flight, "price"));
    price = subtract(price, multiply(sum(oldPrices), numPassengers()), "-=");
    const paid = payForUpdate(draft, reservation, paymentId, price);
    return draft.put("reservations", String(reservationId), paid.with("flights", segments).with("cabin", cabin)).json;
  },
  { isWrite: true },
);

/** The first segment that the reservation already has in this cabin keeps its price. */
function keptSegment(reservation: PyDict, item: PyValue, isValidated: boolean, cabin: PyValue): PyDict | undefined {
  const { flightNumber, date } = flightInfoOf(item, isValidated);
  const segments = getItem(reservation, "flights") as readonly PyDict[];
  return segments.find(
    (segment) =>
      equals(getItem(segment, "flight_number"), flightNumber) &&
      equals(getItem(segment, "date"), date) &&
      equals(cabin, getItem(reservation, "cabin")),
  );
}

/** Replaces the passengers. Only their number is checked. */
export const updateReservationPassengers = tau2Tool(
  "update_reservation_passengers",
  ["reservation_id", "passengers"],
  (draft: Draft, reservationId: PyValue, passengers: PyValue) => {
    const models = toModels(passengers, PASSENGER);
    const reservation = findReservation(draft, reservationId).fields;
    if (len(models) !== len(getItem(reservation, "passengers"))) throw valueError("Number of passengers does not match");
    return draft.put("reservations", String(reservationId), reservation.with("passengers", models)).json;
  },
  { isWrite: true },
);

/** Takes `price` from a gift card of the reservation's owner and returns the reservation with the payment in its history. */
function payForUpdate(draft: Draft, reservation: PyDict, paymentId: PyValue, price: PyValue): PyDict {
  const userId = String(getItem(reservation, "user_id"));
  const user = recordFields(draft, "users", userId);
  const methods = getItem(user, "payment_methods") as PyDict;
  if (!has(methods, paymentId)) throw valueError("Payment method not found");
  const method = getItem(methods, paymentId) as PyDict;
  const source = getItem(method, "source");
  if (source === "certificate") throw valueError("Certificate cannot be used to update reservation");
  if (source === "gift_card") {
    const balance = getItem(method, "amount");
    if (isLess(balance, price)) throw valueError("Gift card balance is not enough");
    const debited = method.with("amount", subtract(balance, price, "-="));
    draft.put("users", userId, user.with("payment_methods", methods.with(paymentId, debited)));
  }
  if (equals(price, 0)) return reservation;
  const payment = construct(PAYMENT, dict(["payment_id", paymentId], ["amount", price]));
  return reservation.with("payment_history", [...(getItem(reservation, "payment_history") as PyList), payment]);
}
