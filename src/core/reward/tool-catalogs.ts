// Which tools write and which end the conversation, for rollouts whose environment is not at hand.
import type { ToolSchema } from "../ports.ts";
import type { ToolCatalog } from "./label-trajectory.ts";

const TERMINAL_TOOLS = ["transfer_to_human_agents"];
/** State-changing tools of tau-bench and tau2-bench, airline and retail. */
export const TAU_BENCH_WRITES = [
  "book_reservation",
  "cancel_reservation",
  "update_reservation_flights",
  "update_reservation_passengers",
  "update_reservation_baggages",
  "send_certificate",
  "cancel_pending_order",
  "exchange_delivered_order_items",
  "modify_pending_order_address",
  "modify_pending_order_items",
  "modify_pending_order_payment",
  "modify_user_address",
  "return_delivered_order_items",
];

/** A catalog from names. Terminal tools count as writes. Schemas, where known, tell ids that look like numbers from numbers. */
export function createToolCatalog(options: {
  readonly writes?: readonly string[];
  readonly terminals?: readonly string[];
  readonly schemas?: readonly ToolSchema[];
}): ToolCatalog {
  const terminals = new Set(options.terminals ?? TERMINAL_TOOLS);
  const writes = new Set([...(options.writes ?? TAU_BENCH_WRITES), ...terminals]);
  return { tools: options.schemas ?? [], isWrite: (name) => writes.has(name), isTerminal: (name) => terminals.has(name) };
}
