// What else a retail read could have answered, in a database that differs in this alone.
import { randomFrom } from "#core/random-source.ts";
import type { Alternatives } from "../evidence.ts";
import type { Json, World } from "../world.ts";
import type { Product, Variant } from "./database-reads.ts";

type Fields = { readonly [key: string]: Json };
const NUM_SAMPLES = 20;
const EXPENSIVE = 1_000_000;

/** Another user behind the proof, other profiles, other orders under the same id, other stock and prices. */
export function retailAlternatives(world: World): Alternatives {
  const orders = sample(world, "orders");
  const users = sample(world, "users");
  const userIds = randomFrom("alternatives", "user ids").shuffle(world.userIds).slice(0, NUM_SAMPLES);
  return function* (read, answer, others) {
    switch (read.name) {
      case "find_user_id_by_email":
      case "find_user_id_by_name_zip":
        yield* [...others.flatMap(ownerOf), ...userIds];
        return;
      case "get_user_details":
        yield* users;
        return;
      case "get_order_details":
        yield* others.filter((other) => typeof other === "string").map((user_id) => ({ ...(answer as Fields), user_id }));
        yield* otherOrders(answer as Fields, orders);
        return;
      case "get_product_details":
        yield* otherStock(answer as unknown as Product);
        return;
      case "list_all_product_types":
        yield rotated(answer as Fields);
        return;
    }
  };
}

/** The user of an order. */
function ownerOf(answer: Json): string[] {
  const owner = typeof answer === "object" && answer !== null && "user_id" in answer ? answer.user_id : null;
  return typeof owner === "string" ? [owner] : [];
}

function sample(world: World, collection: string): Fields[] {
  return randomFrom("alternatives", collection)
    .shuffle(Array.from(world.records(collection).values()) as Fields[])
    .slice(0, NUM_SAMPLES);
}

/** The same order in another state, at another price, of another user; then other orders under its id. */
function* otherOrders(order: Fields, samples: readonly Fields[]): Generator<Json> {
  for (const status of ["processed", "pending", "delivered"]) yield { ...order, status };
  for (const amount of [EXPENSIVE, 0])
    yield { ...order, payment_history: [{ transaction_type: "payment", amount, payment_method_id: "" }] };
  const { order_id = null, user_id = null } = order;
  for (const other of samples) yield { ...other, order_id, user_id };
  for (const other of samples) yield { ...other, order_id };
}

/** Nothing in stock, or everything, at prices that none has now. */
function* otherStock(product: Product): Generator<Json> {
  const variants = Object.entries(product.variants);
  const withVariants = (change: (variant: Variant, index: number) => Variant): Json =>
    ({ ...product, variants: Object.fromEntries(variants.map(([id, variant], index) => [id, change(variant, index)])) }) as unknown as Json;
  yield withVariants((variant) => ({ ...variant, available: false }));
  yield withVariants((variant, index) => ({ ...variant, available: true, price: index + 0.01 }));
}

/** Every name with the id of the next. */
function rotated(types: Fields): Json {
  const ids = Object.values(types);
  return Object.fromEntries(Object.keys(types).map((name, index) => [name, ids[(index + 1) % ids.length] ?? null]));
}
