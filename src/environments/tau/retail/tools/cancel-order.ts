import type { Draft } from "../../database.ts";
import { add, getItem, iterate } from "../../python/operations.ts";
import { dict, type PyDict, type PyValue } from "../../python/values.ts";
import { appendAll, findRecord } from "../../record-access.ts";
import { changeBalance } from "./gift-card.ts";
import { retailTool } from "./retail-tool.ts";

/** Refunds every entry of the payment history; gift cards get their money at once. */
export const cancelPendingOrder = retailTool(
  "cancel_pending_order",
  ["order_id", "reason"],
  (draft: Draft, orderId: PyValue, reason: PyValue) => {
    const record = findRecord(draft, "orders", orderId);
    if (record === undefined) return "Error: order not found";
    const order = record.fields;
    if (getItem(order, "status") !== "pending") return "Error: non-pending order cannot be cancelled";
    if (reason !== "no longer needed" && reason !== "ordered by mistake") return "Error: invalid reason";
    const history = getItem(order, "payment_history");
    const refunds: PyDict[] = [];
    for (const payment of iterate(history)) {
      const paymentId = getItem(payment, "payment_method_id");
      const amount = getItem(payment, "amount");
      refunds.push(dict(["transaction_type", "refund"], ["amount", amount], ["payment_method_id", paymentId]));
      if (String(paymentId).includes("gift_card")) changeBalance(draft, order, paymentId, (balance) => add(balance, amount, "+="));
    }
    const cancelled = order.with("status", "cancelled").with("cancel_reason", reason);
    return draft.put("orders", String(orderId), cancelled.with("payment_history", appendAll(history, refunds, "extend"))).json;
  },
  { isWrite: true },
);
