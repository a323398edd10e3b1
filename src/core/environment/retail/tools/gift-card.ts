import type { Draft } from "../../database.ts";
import { getItem } from "../../python/operations.ts";
import { roundValue } from "../../python/round.ts";
import { withKey, type PyDict, type PyValue } from "../../python/values.ts";
import { recordFields } from "../../record-access.ts";

export function paymentMethods(draft: Draft, order: PyDict): PyDict {
  return getItem(recordFields(draft, "users", getItem(order, "user_id")), "payment_methods") as PyDict;
}

/** Sets a gift card's balance to `change(balance)`, rounded to cents. Throws KeyError when the order's user has no such method. */
export function changeBalance(draft: Draft, order: PyDict, paymentId: PyValue, change: (balance: PyValue) => PyValue): void {
  const userId = String(getItem(order, "user_id"));
  const methods = paymentMethods(draft, order);
  const method = getItem(methods, paymentId) as PyDict;
  const changed = withKey(method, "balance", roundValue(change(getItem(method, "balance"))));
  draft.put("users", userId, withKey(recordFields(draft, "users", userId), "payment_methods", withKey(methods, String(paymentId), changed)));
}
