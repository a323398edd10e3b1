// Which tools write and which end the conversation, for rollouts whose environment is not at hand.
import type { ToolSchema } from "../ports.ts";
import type { ToolCatalog } from "./label-trajectory.ts";

const TERMINAL_TOOLS = ["transfer_to_human_agents"];
/** State-changing tools of tau-bench and tau2-bench, airline and retail. */
const TAU_BENCH_WRITES = [
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
/** The other tools of the same domains: what is in neither list is not known to read or to write. */
const TAU_BENCH_READS = [
  "calculate",
  "find_user_id_by_email",
  "find_user_id_by_name_zip",
  "get_flight_status",
  "get_item_details",
  "get_order_details",
  "get_product_details",
  "get_reservation_details",
  "get_user_details",
  "list_all_airports",
  "list_all_product_types",
  "search_direct_flight",
  "search_onestop_flight",
  "think",
];

/**
 * A catalog from names. Terminal tools count as writes. Who names the writes says that all other tools read; without names the tools of
 * tau-bench and tau2-bench are known and no others. Schemas, where known, tell ids that look like numbers from numbers.
 */
export function createToolCatalog(options: {
  readonly writes?: readonly string[];
  readonly terminals?: readonly string[];
  readonly schemas?: readonly ToolSchema[];
}): ToolCatalog {
  const terminals = new Set(options.terminals ?? TERMINAL_TOOLS);
  const writes = new Set([...(options.writes ?? TAU_BENCH_WRITES), ...terminals]);
  const reads = new Set(TAU_BENCH_READS);
  return {
    tools: options.schemas ?? [],
    isWrite: (name) => writes.has(name),
    isTerminal: (name) => terminals.has(name),
    isKnown: options.writes === undefined ? (name) => writes.has(name) || reads.has(name) : () => true,
  };
}

/** The catalog with the schemas that a rollout brings along; without any, the catalog as it is. */
export function withSchemas(catalog: ToolCatalog, tools: readonly ToolSchema[] | undefined): ToolCatalog {
  return tools === undefined ? catalog : { ...catalog, tools };
}
