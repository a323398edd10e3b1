// The payment rule that changes of flights and of baggage share.
import type { Draft } from "../../database.ts";
import { getItem, has, isLess, subtract } from "../../python/operations.ts";
import type { PyDict, PyValue } from "../../python/values.ts";
import { recordFields } from "../../record-access.ts";

/** Null when this method of the reservation's owner can pay `price`, otherwise the benchmark's refusal. */
export function refusePayment(draft: Draft, reservation: PyDict, paymentId: PyValue, price: PyValue): string | null {
  const methods = paymentMethods(draft, reservation);
  if (!has(methods, paymentId)) return "Error: payment method not found";
  const method = getItem(methods, paymentId);
  const source = getItem(method, "source");
  if (source === "certificate") return "Error: certificate cannot be used to update reservation";
  if (source === "gift_card" && isLess(getItem(method, "amount"), price)) return "Error: gift card balance is not enough";
  return null;
}

/** Takes `price` from the method when it is a gift card; a negative price is a refund. */
export function debitGiftCard(draft: Draft, reservation: PyDict, paymentId: PyValue, price: PyValue): void {
  const userId = String(getItem(reservation, "user_id"));
  const methods = paymentMethods(draft, reservation);
  const method = getItem(methods, paymentId) as PyDict;
  if (getItem(method, "source") !== "gift_card") return;
  const debited = method.with("amount", subtract(getItem(method, "amount"), price, "-="));
  draft.put("users", userId, recordFields(draft, "users", userId).with("payment_methods", methods.with(String(paymentId), debited)));
}

function paymentMethods(draft: Draft, reservation: PyDict): PyDict {
  return getItem(recordFields(draft, "users", getItem(reservation, "user_id")), "payment_methods") as PyDict;
}
