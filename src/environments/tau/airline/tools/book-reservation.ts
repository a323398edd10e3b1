import type { Draft } from "../../database.ts";
import { repr, str } from "../../python/format.ts";
import { add, equals, getItem, has, isLess, iterate, len, multiply, subtract, sum } from "../../python/operations.ts";
import { dict, type PyDict, PyError, type PyValue } from "../../python/values.ts";
import { appendAll, findRecord, recordFields } from "../../record-access.ts";
import { airlineTool } from "./airline-tool.ts";
import { priceSegment } from "./seats.ts";

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
const CREATED_AT = "2024-05-15T15:00:00";

/** Books a trip. Seats are checked but not taken; each payment is checked alone against its balance, then all are debited in order. */
export const bookReservation = airlineTool("book_reservation", PARAMETERS, book, { isWrite: true });

function book(
  draft: Draft,
  userId: PyValue,
  origin: PyValue,
  destination: PyValue,
  flightType: PyValue,
  cabin: PyValue,
  flights: PyValue,
  passengers: PyValue,
  payments: PyValue,
  totalBaggages: PyValue,
  nonfreeBaggages: PyValue,
  insurance: PyValue,
): string {
  const user = findRecord(draft, "users", userId);
  if (user === undefined) return "Error: user not found";
  const reservationId = nextReservationId(draft);

  const segments: PyValue[] = [];
  let price: PyValue = 0;
  for (const wanted of iterate(flights)) {
    const priced = priceSegment(draft, wanted, cabin, () => len(passengers));
    if ("refusal" in priced) return priced.refusal;
    segments.push(priced.segment);
    price = add(price, priced.total, "+=");
  }
  if (insurance === "yes") price = add(price, 30 * len(passengers), "+=");
  price = add(price, multiply(50, nonfreeBaggages), "+=");

  const refusal = checkPayments(getItem(user.fields, "payment_methods") as PyDict, payments, price);
  if (refusal !== null) return refusal;
  pay(draft, String(userId), payments);

  const reservation = dict(
    ["reservation_id", reservationId],
    ["user_id", userId],
    ["origin", origin],
    ["destination", destination],
    ["flight_type", flightType],
    ["cabin", cabin],
    // An empty text or object has no segments, passes as it is, and stays what it is.
    ["flights", segments.length === 0 ? flights : segments],
    ["passengers", passengers],
    ["payment_history", payments],
    ["created_at", CREATED_AT],
    ["total_baggages", totalBaggages],
    ["nonfree_baggages", nonfreeBaggages],
    ["insurance", insurance],
  );
  const record = draft.put("reservations", reservationId, reservation);
  const owner = draft.find("users", String(userId))?.fields ?? user.fields;
  draft.put("users", String(userId), owner.with("reservations", appendAll(getItem(owner, "reservations"), [reservationId], "append")));
  return record.json;
}

/** Three ids; from the fourth booking on the third is overwritten. */
function nextReservationId(draft: Draft): string {
  return ["HATHAT", "HATHAU"].find((id) => draft.find("reservations", id) === undefined) ?? "HATHAV";
}

function checkPayments(methods: PyDict, payments: PyValue, price: PyValue): string | null {
  for (const payment of iterate(payments)) {
    const id = getItem(payment, "payment_id");
    const amount = getItem(payment, "amount");
    if (!has(methods, id)) return `Error: payment method ${str(id)} not found`;
    const method = getItem(methods, id);
    const source = getItem(method, "source");
    const hasBalance = source === "gift_card" || source === "certificate";
    if (hasBalance && isLess(getItem(method, "amount"), amount)) return `Error: not enough balance in payment method ${id}`;
  }
  const paid = sum(Array.from(iterate(payments), (payment) => getItem(payment, "amount")));
  if (equals(paid, price)) return null;
  return `Error: payment amount does not add up, total price is ${str(price)}, but paid ${str(paid)}`;
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
