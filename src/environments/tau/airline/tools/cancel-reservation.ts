import type { Draft } from "../../database.ts";
import { getItem, iterate, negate } from "../../python/operations.ts";
import { dict, type PyValue } from "../../python/values.ts";
import { appendAll, findRecord } from "../../record-access.ts";
import { airlineTool } from "./airline-tool.ts";

/** Appends the negated payment history and sets the status. Nothing is checked and no gift card is credited; a second cancellation negates again. */
export const cancelReservation = airlineTool(
  "cancel_reservation",
  ["reservation_id"],
  (draft: Draft, reservationId: PyValue) => {
    const reservation = findRecord(draft, "reservations", reservationId);
    if (reservation === undefined) return "Error: reservation not found";
    const history = getItem(reservation.fields, "payment_history");
    const refunds = Array.from(iterate(history), (payment) =>
      dict(["payment_id", getItem(payment, "payment_id")], ["amount", negate(getItem(payment, "amount"))]),
    );
    const refunded = reservation.fields.with("payment_history", appendAll(history, refunds, "extend"));
    return draft.put("reservations", String(reservationId), refunded.with("status", "cancelled")).json;
  },
  { isWrite: true },
);
