// What the golden writes of tau-bench's retail tasks are in a customer's words: ids, addresses and reasons leave them, no call does.
import type { GoldenAction } from "#contracts/task.ts";
import { spokenArguments } from "#core/exact-json.ts";
import { type Wish, wish } from "./agenda.ts";

type Arguments = Readonly<Record<string, unknown>>;

const REASONS: Readonly<Record<string, string>> = {
  "no longer needed": "I no longer need it",
  "ordered by mistake": "it was ordered by mistake",
};

/** The wish behind a golden write, or null for an action that is none of retail's writes. */
export function retailWish({ name, argumentsJson }: GoldenAction, story: string): Wish | null {
  const args = spokenArguments(argumentsJson);
  const payment = typeof args["payment_method_id"] === "string" ? args["payment_method_id"] : null;
  const words = wordsFor(name, args);
  return words === null ? null : wish("other", { words, details: story, payment });
}

function wordsFor(name: string, args: Arguments): string | null {
  const order = `order ${args["order_id"]}`;
  switch (name) {
    case "cancel_pending_order":
      return `I want to cancel ${order}, ${REASONS[String(args["reason"])] ?? args["reason"]}.`;
    case "return_delivered_order_items":
      return `I want to return ${items(args)} of ${order}, refunded to ${args["payment_method_id"]}.`;
    case "exchange_delivered_order_items":
      return `I want to exchange ${swaps(args)} of ${order}, and settle the difference with ${args["payment_method_id"]}.`;
    case "modify_pending_order_items":
      return `I want to change ${swaps(args)} in ${order}, and settle the difference with ${args["payment_method_id"]}.`;
    case "modify_pending_order_payment":
      return `I want to pay ${order} with ${args["payment_method_id"]} instead.`;
    case "modify_pending_order_address":
      return `I want ${order} shipped to ${address(args)}.`;
    case "modify_user_address":
      return `I want my own address changed to ${address(args)}.`;
    default:
      return null;
  }
}

const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
const joined = (parts: readonly string[]): string => parts.join(" and ");
const items = (args: Arguments): string => joined(list(args["item_ids"]).map((id) => `item ${id}`));
const swaps = (args: Arguments): string =>
  joined(list(args["item_ids"]).map((id, index) => `item ${id} for ${list(args["new_item_ids"])[index]}`));
const address = (args: Arguments): string =>
  ["address1", "address2", "city", "state", "zip", "country"]
    .map((field) => String(args[field] ?? ""))
    .filter((part) => part !== "")
    .join(", ");

/** Who the customer is, as the shop asks for it: by email, or by name and zip code. Null when the golden actions do not look it up. */
export function retailIdentity(actions: readonly GoldenAction[]): string | null {
  for (const { name, argumentsJson } of actions) {
    const args = spokenArguments(argumentsJson);
    if (name === "find_user_id_by_email") return `My email is ${args["email"]}.`;
    if (name === "find_user_id_by_name_zip") return `I am ${args["first_name"]} ${args["last_name"]}, zip code ${args["zip"]}.`;
  }
  return null;
}
