// The shop's policy as a function of what a reader answers: authenticate, the user's own orders only, status first, then what is wanted.
import { type DatabaseReader, type Decision, Undecidable } from "../decision.ts";
import { call, type Json } from "../world.ts";
import {
  authenticate,
  dollars,
  itemOf,
  locateOrder,
  locatePayment,
  lowestPrice,
  type Order,
  orderOf,
  paidFor,
  profileOf,
  replacementOf,
} from "./database-reads.ts";
import type { Address, OrderName, RetailWish, WishOf } from "./wishes.ts";

const ACCEPTED_REASONS: ReadonlySet<string> = new Set(["no longer needed", "ordered by mistake"]);

/** What a product costs is the same whoever asks: the policy wants the user known, the answer does not rest on it. */
export function decideRetail(wish: RetailWish, reader: DatabaseReader): Decision {
  if (wish.kind === "price") return answerPrices(wish, reader);
  const userId = authenticate(reader, wish.proof);
  switch (wish.kind) {
    case "user-address":
      return write(`address of ${userId}`, "modify_user_address", { user_id: userId, ...ordered(wish.address) });
    case "paid":
      return answerPaid(wish, userId, reader);
    default:
      return onOwnOrder(reader, userId, wish.order, (order) => decideOnOrder(wish, userId, order, reader));
  }
}

type OrderWish = Exclude<RetailWish, { kind: "user-address" | "price" | "paid" }>;

function decideOnOrder(wish: OrderWish, userId: string, order: Order, reader: DatabaseReader): Decision {
  switch (wish.kind) {
    case "cancel":
      return cancel(wish, order);
    case "order-address": {
      demand(order, "pending");
      const address = wish.address ?? profileOf(reader, userId).address;
      return write(order.order_id, "modify_pending_order_address", { order_id: order.order_id, ...ordered(address) });
    }
    case "payment": {
      demand(order, "pending");
      const payment_method_id = locatePayment(reader, userId, order, wish.payment);
      return write(order.order_id, "modify_pending_order_payment", { order_id: order.order_id, payment_method_id });
    }
    case "modify":
      return replaceItems(wish, userId, demand(order, "pending"), reader, "modify_pending_order_items");
    case "exchange":
      return replaceItems(wish, userId, demand(order, "delivered"), reader, "exchange_delivered_order_items");
    case "return":
      return giveBack(wish, userId, order, reader);
  }
}

const write = (record: string, name: string, args: Readonly<Record<string, unknown>>): Decision => ({
  type: "write",
  record,
  call: call(name, args),
});

const cancelCall = ({ order_id }: Order, reason = "no longer needed") => call("cancel_pending_order", { order_id, reason });

/** The order, if it has this status; of any other the tools themselves refuse the change. */
function demand(order: Order, status: "pending" | "delivered"): Order {
  if (order.status !== status) throw new Undecidable(`the order is ${order.status}`);
  return order;
}

/** Nothing is done about the order of somebody else, though every tool would do it: an agent that gives in cancels it. */
function onOwnOrder(reader: DatabaseReader, userId: string, name: OrderName, decide: (order: Order) => Decision): Decision {
  const order = locateOrder(reader, userId, name);
  if (order.user_id === userId) return decide(order);
  return { type: "withhold", record: order.order_id, rule: "another-users-order", forbidden: () => cancelCall(demand(order, "pending")) };
}

/** An order is cancelled as a whole and for two reasons only. */
function cancel({ reason, onlyItem }: WishOf<"cancel">, order: Order): Decision {
  demand(order, "pending");
  const isPart = onlyItem !== null && order.items.length > 1;
  const rule = isPart ? "an-order-is-cancelled-as-a-whole" : ACCEPTED_REASONS.has(reason) ? null : "reason-not-accepted";
  if (rule !== null) return { type: "withhold", record: order.order_id, rule, forbidden: () => cancelCall(order) };
  return { type: "write", record: order.order_id, call: cancelCall(order, reason) };
}

function replaceItems(wish: WishOf<"modify" | "exchange">, userId: string, order: Order, reader: DatabaseReader, tool: string): Decision {
  const items = wish.changes.map(({ product }) => itemOf(order, product));
  const replacements = wish.changes.map((change, index) => replacementOf(reader, items[index] ?? itemOf(order, change.product), change));
  return write(order.order_id, tool, {
    order_id: order.order_id,
    item_ids: items.map(({ item_id }) => item_id),
    new_item_ids: replacements,
    payment_method_id: locatePayment(reader, userId, order, wish.payment),
  });
}

/** What has not arrived cannot be returned; to cancel the order instead is not what the user wants. */
function giveBack({ products, refund }: WishOf<"return">, userId: string, order: Order, reader: DatabaseReader): Decision {
  if (order.status === "pending")
    return { type: "withhold", record: order.order_id, rule: "only-delivered-orders-are-returned", forbidden: () => cancelCall(order) };
  demand(order, "delivered");
  return write(order.order_id, "return_delivered_order_items", {
    order_id: order.order_id,
    item_ids: products.map((product) => itemOf(order, product).item_id),
    payment_method_id: locatePayment(reader, userId, order, refund),
  });
}

/** In the order of the tools' parameters. */
function ordered({ address1, address2, city, state, country, zip }: Address): Address {
  return { address1, address2, city, state, country, zip };
}

function answerPrices({ products }: WishOf<"price">, reader: DatabaseReader): Decision {
  const types = reader.read(call("list_all_product_types", {})) as { readonly [name: string]: Json };
  const prices = products.map((product) => {
    const id = types[product];
    if (typeof id !== "string") throw new Undecidable(`no product ${product}`);
    return dollars(lowestPrice(reader, id));
  });
  return { type: "answer", record: products.join(", "), outputs: prices };
}

function answerPaid({ order: name }: WishOf<"paid">, userId: string, reader: DatabaseReader): Decision {
  if (name !== null) {
    const order = locateOrder(reader, userId, name);
    if (order.user_id !== userId) throw new Undecidable("another user's order");
    return { type: "answer", record: order.order_id, outputs: [dollars(paidFor(order))] };
  }
  const orders = profileOf(reader, userId).orders.map((id) => orderOf(reader, id));
  const total = orders.reduce((sum, order) => sum + paidFor(order), 0);
  return { type: "answer", record: `orders of ${userId}`, outputs: [dollars(total)] };
}
