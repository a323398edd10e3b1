// Delivered orders: exchange and return. Both only record what was asked for and move no money.
import type { Draft } from "../../database.ts";
import { getItem, has, isLess } from "../../python/operations.ts";
import { roundValue } from "../../python/round.ts";
import type { PyValue } from "../../python/values.ts";
import { findRecord } from "../../record-access.ts";
import { paymentMethods } from "./gift-card.ts";
import { findForeignItem, priceDifference, sortedIds } from "./items.ts";
import { retailTool } from "./retail-tool.ts";

export const exchangeDeliveredOrderItems = retailTool(
  "exchange_delivered_order_items",
  ["order_id", "item_ids", "new_item_ids", "payment_method_id"],
  (draft: Draft, orderId: PyValue, itemIds: PyValue, newItemIds: PyValue, paymentId: PyValue) => {
    const record = findRecord(draft, "orders", orderId);
    if (record === undefined) return "Error: order not found";
    const order = record.fields;
    if (getItem(order, "status") !== "delivered") return "Error: non-delivered order cannot be exchanged";
    const difference = priceDifference(draft, order, itemIds, newItemIds);
    if ("refusal" in difference) return difference.refusal;
    const price = roundValue(difference.total);

    const methods = paymentMethods(draft, order);
    if (!has(methods, paymentId)) return "Error: payment method not found";
    const method = getItem(methods, paymentId);
    if (getItem(method, "source") === "gift_card" && isLess(getItem(method, "balance"), price)) {
      return "Error: insufficient gift card balance to pay for the price difference";
    }
    const requested = order
      .with("status", "exchange requested")
      .with("exchange_items", sortedIds(itemIds))
      .with("exchange_new_items", sortedIds(newItemIds))
      .with("exchange_payment_method_id", paymentId)
      .with("exchange_price_difference", price);
    return draft.put("orders", String(orderId), requested).json;
  },
  { isWrite: true },
);

/** The refund goes to the original method or to any gift card of the user. */
export const returnDeliveredOrderItems = retailTool(
  "return_delivered_order_items",
  ["order_id", "item_ids", "payment_method_id"],
  (draft: Draft, orderId: PyValue, itemIds: PyValue, paymentId: PyValue) => {
    const record = findRecord(draft, "orders", orderId);
    if (record === undefined) return "Error: order not found";
    const order = record.fields;
    if (getItem(order, "status") !== "delivered") return "Error: non-delivered order cannot be returned";
    if (!has(paymentMethods(draft, order), paymentId)) return "Error: payment method not found";
    if (!paymentId.includes("gift_card") && paymentId !== getItem(getItem(getItem(order, "payment_history"), 0), "payment_method_id")) {
      return "Error: payment method should be either the original payment method or a gift card";
    }
    if (findForeignItem(order, itemIds) !== null) return "Error: some item not found";
    const requested = order.with("status", "return requested").with("return_items", sortedIds(itemIds));
    return draft.put("orders", String(orderId), requested.with("return_payment_method_id", paymentId)).json;
  },
  { isWrite: true },
);
