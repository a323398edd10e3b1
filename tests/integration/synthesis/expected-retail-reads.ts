// The shop's evidence counted a second time, from what a task says and what the database holds: no part of the synthesis is used.
import type { SynthesizedTask, TaskDecision } from "#contracts/task-file.ts";

interface Order {
  readonly order_id: string;
  readonly items: readonly { readonly name: string }[];
}

/** The reads by what they are about; their number is e. `orders` are the user's. */
export function expectedRetailReads(orders: readonly Order[], entry: SynthesizedTask, index: number, words: string): ReadonlySet<string> {
  const decision = entry.decisions[index] as TaskDecision;
  if (decision.kind === "price") {
    const [, names = ""] = /each of these can be had now: (.*?)\./.exec(words) ?? [];
    return new Set(["list of products", ...names.split(", ")]);
  }
  const reads = new Set(["who the user is"]);
  if (decision.kind === "user-address") return reads;
  for (const read of orderReads(orders, words)) reads.add(read);
  if (decision.type === "write" && /your only|the address of your profile/.test(words)) reads.add("profile");
  if (decision.kind === "modify" || decision.kind === "exchange")
    for (const [, product = ""] of words.matchAll(/the ([A-Z][\w -]*?) with [a-z][^"]*? "/g)) reads.add(product);
  return reads;
}

function orderReads(orders: readonly Order[], words: string): string[] {
  if (/for all your orders together|the one of all your orders/.test(words)) return ["profile", ...orders.map(({ order_id }) => order_id)];
  const [id] = /#W\d+/.exec(words) ?? [];
  if (id !== undefined) return [id];
  const [, product] = /your order with the ([A-Z][\w -]*?)(?:\.| cancelled| sent| to | changed| instead| for )/.exec(words) ?? [];
  return ["profile", orders.find(({ items }) => items.some(({ name }) => name === product))?.order_id ?? `no order with ${product}`];
}
