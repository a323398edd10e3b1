// Changes to a reservation: flights, baggage, passengers.
import type { Draft } from "../../database.ts";
import { add, equals, getItem, isGreater, iterate, len, multiply, subtract, sum } from "../../python/operations.ts";
import { dict, type PyDict, type PyValue } from "../../python/values.ts";
import { appendAll, findRecord } from "../../record-access.ts";
import { airlineTool } from "./airline-tool.ts";
import { debitGiftCard, refusePayment } from "./payment-check.ts";
import { fillSegment, type PricedSegment, priceSegment } from "./seats.ts";

/** Replaces the flights and charges the difference. The new cabin is priced but, as in the benchmark, not stored. */
export const updateReservationFlights = airlineTool(
  "update_reservation_flights",
  ["reservation_id", "cabin", "flights", "payment_id"],
  (draft: Draft, reservationId: PyValue, cabin: PyValue, flights: PyValue, paymentId: PyValue) => {
    const record = findRecord(draft, "reservations", reservationId);
    if (record === undefined) return "Error: reservation not found";
    const reservation = record.fields;
    const numPassengers = () => len(getItem(reservation, "passengers"));

    const segments: PyValue[] = [];
    let price: PyValue = 0;
    for (const wanted of iterate(flights)) {
      const priced = keepSegment(reservation, wanted, cabin) ?? priceSegment(draft, wanted, cabin, numPassengers);
      if ("refusal" in priced) return priced.refusal;
      segments.push(priced.segment);
      price = add(price, priced.total, "+=");
    }
    const oldPrices = Array.from(iterate(getItem(reservation, "flights")), (flight) => getItem(flight, "price"));
    price = subtract(price, multiply(sum(oldPrices), numPassengers()), "-=");

    const refusal = refusePayment(draft, reservation, paymentId, price);
    if (refusal !== null) return refusal;
    debitGiftCard(draft, reservation, paymentId, price);
    const changed = reservation.with("flights", segments.length === 0 ? flights : segments);
    return storeWithPayment(draft, String(reservationId), changed, paymentId, price);
  },
  { isWrite: true },
);

/** A segment that the reservation already has in this cabin keeps its price. Null when it has none. */
function keepSegment(reservation: PyDict, wanted: PyValue, cabin: PyValue): PricedSegment | null {
  const kept = Array.from(iterate(getItem(reservation, "flights"))).filter(
    (flight) =>
      equals(getItem(flight, "flight_number"), getItem(wanted, "flight_number")) &&
      equals(getItem(flight, "date"), getItem(wanted, "date")) &&
      equals(cabin, getItem(reservation, "cabin")),
  )[0];
  if (kept === undefined) return null;
  const price = getItem(kept, "price");
  const total = multiply(price, len(getItem(reservation, "passengers")));
  return { segment: fillSegment(wanted, price, getItem(kept, "origin"), getItem(kept, "destination")), total };
}

/** Charges bags beyond the ones that were paid; fewer bags are free and refund nothing. */
export const updateReservationBaggages = airlineTool(
  "update_reservation_baggages",
  ["reservation_id", "total_baggages", "nonfree_baggages", "payment_id"],
  (draft: Draft, reservationId: PyValue, totalBaggages: PyValue, nonfreeBaggages: PyValue, paymentId: PyValue) => {
    const record = findRecord(draft, "reservations", reservationId);
    if (record === undefined) return "Error: reservation not found";
    const reservation = record.fields;
    const added = subtract(nonfreeBaggages, getItem(reservation, "nonfree_baggages"));
    const price = multiply(50, isGreater(added, 0) ? added : 0);

    const refusal = refusePayment(draft, reservation, paymentId, price);
    if (refusal !== null) return refusal;
    const changed = reservation.with("total_baggages", totalBaggages).with("nonfree_baggages", nonfreeBaggages);
    debitGiftCard(draft, reservation, paymentId, price);
    return storeWithPayment(draft, String(reservationId), changed, paymentId, price);
  },
  { isWrite: true },
);

/** Stores the change first: when the payment history is no list, the change stays and the append raises. */
function storeWithPayment(draft: Draft, reservationId: string, changed: PyDict, paymentId: PyValue, price: PyValue): string {
  const stored = draft.put("reservations", reservationId, changed);
  if (equals(price, 0)) return stored.json;
  const payment = dict(["payment_id", paymentId], ["amount", price]);
  const history = appendAll(getItem(changed, "payment_history"), [payment], "append");
  return draft.put("reservations", reservationId, changed.with("payment_history", history)).json;
}

/** Replaces the passengers. Only their number is checked. */
export const updateReservationPassengers = airlineTool(
  "update_reservation_passengers",
  ["reservation_id", "passengers"],
  (draft: Draft, reservationId: PyValue, passengers: PyValue) => {
    const record = findRecord(draft, "reservations", reservationId);
    if (record === undefined) return "Error: reservation not found";
    if (len(passengers) !== len(getItem(record.fields, "passengers"))) return "Error: number of passengers does not match";
    return draft.put("reservations", String(reservationId), record.fields.with("passengers", passengers)).json;
  },
  { isWrite: true },
);
