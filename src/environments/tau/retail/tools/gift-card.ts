import type { Draft } from "../../database.ts";
import { getItem } from "../../python/operations.ts";
import { roundValue } from "../../python/round.ts";
import type { PyDict, PyValue } from "../../python/values.ts";
import { recordFields } from "../../record-access.ts";

export function paymentMethods(draft: Draft, order: PyDict): PyDict {
  return getItem(recordFields(draft, "users", getItem(order, "user_id")), "payment_methods") as PyDict;
}

/** Sets a gift card's balance to `change(balance)`, rounded to cents. Throws KeyError when the order's user has no such method. */
export function changeBalance(draft: Draft, order: PyDict, paymentId: PyValue, change: (balance: PyValue) => PyValue): void {
  const userId = String(getItem(order, "user_id"));
  const methods = paymentMethods(draft, order);
  const method = getItem(methods, paymentId) as PyDict;
  const changed = method.with("balance", roundValue(change(getItem(method, "balance"))));
  draft.put("users", userId, recordFields(draft, "users", userId).with("payment_methods", methods.with(String(paymentId), changed)));
}
