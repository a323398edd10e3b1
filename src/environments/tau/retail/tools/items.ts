// What exchanging, changing and returning items share: are these items in the order, and what do their replacements cost.
import type { Draft } from "../../database.ts";
import { str } from "../../python/format.ts";
import { add, compareStrings, equals, getItem, has, isTruthy, iterate, len, subtract } from "../../python/operations.ts";
import { isDict, isList, type PyDict, PyError, type PyValue, typeName } from "../../python/values.ts";
import { recordFields } from "../../record-access.ts";

/** The first id that is named more often than the order has it, or null. */
export function findForeignItem(order: PyDict, itemIds: PyValue): { readonly id: PyValue } | null {
  const ordered = Array.from(iterate(getItem(order, "items")), (item) => getItem(item, "item_id"));
  for (const id of iterate(itemIds)) {
    if (count(itemIds, id) > count(ordered, id)) return { id };
  }
  return null;
}

/** `values.count(value)` */
function count(values: PyValue, value: PyValue): number {
  if (isList(values)) return values.filter((item) => equals(item, value)).length;
  if (typeof values === "string") return values.split(str(value)).length - 1;
  throw new PyError("AttributeError", `'${typeName(values)}' object has no attribute 'count'`);
}

/** Pairs of old and new item ids, as `zip` makes them. */
export function pairs(itemIds: PyValue, newItemIds: PyValue): [PyValue, PyValue][] {
  const news = Array.from(iterate(newItemIds));
  return Array.from(iterate(itemIds))
    .slice(0, news.length)
    .map((id, index) => [id, news[index] ?? null]);
}

/** The sum of price differences of replacing items, unrounded, or the benchmark's refusal. */
export function priceDifference(
  draft: Draft,
  order: PyDict,
  itemIds: PyValue,
  newItemIds: PyValue,
): { readonly total: PyValue } | { readonly refusal: string } {
  const foreign = findForeignItem(order, itemIds);
  if (foreign !== null) return { refusal: `Error: ${str(foreign.id)} not found` };
  if (len(itemIds) !== len(newItemIds)) return { refusal: "Error: the number of items to be exchanged should match" };
  let total: PyValue = 0;
  for (const [itemId, newItemId] of pairs(itemIds, newItemIds)) {
    const item = firstItem(order, itemId).item;
    const variants = variantsOf(draft, item);
    if (!has(variants, newItemId) || !isTruthy(getItem(getItem(variants, newItemId), "available"))) {
      return { refusal: `Error: new item ${str(newItemId)} not found or available` };
    }
    const newPrice = getItem(getItem(variants, newItemId), "price");
    total = add(total, subtract(newPrice, getItem(item, "price")), "+=");
  }
  return { total };
}

/** The first item of the order with this id and its place. Throws IndexError as `[…][0]` does. */
export function firstItem(order: PyDict, itemId: PyValue): { readonly item: PyDict; readonly index: number } {
  const items = Array.from(iterate(getItem(order, "items")));
  const index = items.findIndex((item) => equals(getItem(item, "item_id"), itemId));
  const item = items[index] ?? null;
  if (!isDict(item)) throw new PyError("IndexError", "list index out of range");
  return { item, index };
}

/** The variants of an item's product by item id. */
export function variantsOf(draft: Draft, item: PyDict): PyDict {
  return getItem(recordFields(draft, "products", getItem(item, "product_id")), "variants") as PyDict;
}

/** `sorted(ids)` of ids that were found in the data, hence texts. */
export function sortedIds(ids: PyValue): PyValue[] {
  return Array.from(iterate(ids)).sort((left, right) => compareStrings(String(left), String(right)));
}
