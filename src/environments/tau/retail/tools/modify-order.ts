// Pending orders: change of items, of payment, of address; and the user's own address.
import type { Draft } from "../../database.ts";
import { add, equals, getItem, has, isGreater, isLess, len, negate, subtract } from "../../python/operations.ts";
import { dict, PyDict, type PyValue } from "../../python/values.ts";
import { appendAll, findRecord, recordFields } from "../../record-access.ts";
import { changeBalance, paymentMethods } from "./gift-card.ts";
import { firstItem, pairs, priceDifference, variantsOf } from "./items.ts";
import { retailTool } from "./retail-tool.ts";

const ADDRESS = ["address1", "address2", "city", "state", "country", "zip"] as const;

const addressOf = (values: readonly PyValue[]): PyDict => PyDict.from(ADDRESS.map((name, place) => [name, values[place] ?? null]));

/** The pending order, or the benchmark's refusal. */
function findPending(draft: Draft, orderId: PyValue): PyDict | string {
  const record = findRecord(draft, "orders", orderId);
  if (record === undefined) return "Error: order not found";
  return getItem(record.fields, "status") === "pending" ? record.fields : "Error: non-pending order cannot be modified";
}

export const modifyPendingOrderAddress = retailTool(
  "modify_pending_order_address",
  ["order_id", ...ADDRESS],
  (draft: Draft, orderId: PyValue, ...address: PyValue[]) => {
    const order = findPending(draft, orderId);
    if (typeof order === "string") return order;
    return draft.put("orders", String(orderId), order.with("address", addressOf(address))).json;
  },
  { isWrite: true },
);

export const modifyUserAddress = retailTool(
  "modify_user_address",
  ["user_id", ...ADDRESS],
  (draft: Draft, userId: PyValue, ...address: PyValue[]) => {
    const record = findRecord(draft, "users", userId);
    if (record === undefined) return "Error: user not found";
    return draft.put("users", String(userId), record.fields.with("address", addressOf(address))).json;
  },
  { isWrite: true },
);

/** Charges the unrounded difference and replaces the items. The new status fits no later check for "pending". */
export const modifyPendingOrderItems = retailTool(
  "modify_pending_order_items",
  ["order_id", "item_ids", "new_item_ids", "payment_method_id"],
  (draft: Draft, orderId: PyValue, itemIds: PyValue, newItemIds: PyValue, paymentId: PyValue) => {
    const order = findPending(draft, orderId);
    if (typeof order === "string") return order;
    const difference = priceDifference(draft, order, itemIds, newItemIds);
    if ("refusal" in difference) return difference.refusal;
    const { total } = difference;

    const methods = paymentMethods(draft, order);
    if (!has(methods, paymentId)) return "Error: payment method not found";
    const method = getItem(methods, paymentId);
    const isGiftCard = getItem(method, "source") === "gift_card";
    if (isGiftCard && isLess(getItem(method, "balance"), total)) return "Error: insufficient gift card balance to pay for the new item";

    const isCharge = isGreater(total, 0);
    const payment = dict(
      ["transaction_type", isCharge ? "payment" : "refund"],
      ["amount", isLess(total, 0) ? negate(total) : total],
      ["payment_method_id", paymentId],
    );
    const id = String(orderId);
    draft.put("orders", id, order.with("payment_history", appendAll(getItem(order, "payment_history"), [payment], "append")));
    if (isGiftCard) changeBalance(draft, order, paymentId, (balance) => subtract(balance, total, "-="));
    for (const [itemId, newItemId] of pairs(itemIds, newItemIds)) replaceItem(draft, id, itemId, newItemId);
    return draft.put("orders", id, recordFields(draft, "orders", id).with("status", "pending (item modified)")).json;
  },
  { isWrite: true },
);

/** The id is written first: it stays when the product turns out to have no such variant, because an earlier replacement took the item's place. */
function replaceItem(draft: Draft, orderId: string, itemId: PyValue, newItemId: PyValue): void {
  const order = recordFields(draft, "orders", orderId);
  const { item, index } = firstItem(order, itemId);
  const store = (changed: PyDict) =>
    draft.put("orders", orderId, order.with("items", (getItem(order, "items") as PyValue[]).with(index, changed)));
  const renamed = item.with("item_id", newItemId);
  store(renamed);
  const variant = getItem(variantsOf(draft, item), newItemId);
  store(renamed.with("price", getItem(variant, "price")).with("options", getItem(variant, "options")));
}

/** Pays the order anew and refunds the first payment. Leaves three entries in the history, so that it cannot be done twice. */
export const modifyPendingOrderPayment = retailTool(
  "modify_pending_order_payment",
  ["order_id", "payment_method_id"],
  (draft: Draft, orderId: PyValue, paymentId: PyValue) => {
    const order = findPending(draft, orderId);
    if (typeof order === "string") return order;
    const methods = paymentMethods(draft, order);
    if (!has(methods, paymentId)) return "Error: payment method not found";
    const history = getItem(order, "payment_history");
    if (len(history) > 1 || getItem(getItem(history, 0), "transaction_type") !== "payment") {
      return "Error: there should be exactly one payment for a pending order";
    }
    const oldId = getItem(getItem(history, 0), "payment_method_id");
    if (equals(oldId, paymentId)) return "Error: the new payment method should be different from the current one";
    const amount = getItem(getItem(history, 0), "amount");
    const method = getItem(methods, paymentId);
    const isGiftCard = getItem(method, "source") === "gift_card";
    if (isGiftCard && isLess(getItem(method, "balance"), amount)) return "Error: insufficient gift card balance to pay for the order";

    const entry = (type: string, id: PyValue) => dict(["transaction_type", type], ["amount", amount], ["payment_method_id", id]);
    const changed = order.with("payment_history", appendAll(history, [entry("payment", paymentId), entry("refund", oldId)], "extend"));
    const record = draft.put("orders", String(orderId), changed);
    if (isGiftCard) changeBalance(draft, order, paymentId, (balance) => subtract(balance, amount, "-="));
    if (String(oldId).includes("gift_card")) changeBalance(draft, order, oldId, (balance) => add(balance, amount, "+="));
    return record.json;
  },
  { isWrite: true },
);
