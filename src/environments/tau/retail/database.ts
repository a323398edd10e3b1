// The shop's database: users, orders and products by id, and the ways to find a user.
import { checkedCollection } from "../checked-collection.ts";
import { type Collection, Database } from "../database.ts";
import { dumps } from "../python/format.ts";
import { compareStrings, getItem } from "../python/operations.ts";
import { PyDict, type PyValue } from "../python/values.ts";

export class RetailDatabase extends Database {
  /** User ids by lower-cased e-mail address and by lower-cased first name, in the order of the data. Neither ever changes. */
  readonly usersByEmail: ReadonlyMap<string, readonly string[]>;
  readonly usersByFirstName: ReadonlyMap<string, readonly string[]>;
  /** The answer of list_all_product_types: product names in order, with their ids. */
  readonly productTypesJson: string;

  constructor(collections: { readonly orders: Collection; readonly products: Collection; readonly users: Collection }) {
    super(new Map(Object.entries(collections)));
    const { products, users } = collections;
    const lower = (id: string, ...path: readonly string[]) => {
      const value = path.reduce<PyValue>((from, key) => getItem(from, key), users.get(id)?.fields ?? null);
      return String(value).toLowerCase();
    };
    this.usersByEmail = Map.groupBy(users.keys(), (id) => lower(id, "email"));
    this.usersByFirstName = Map.groupBy(users.keys(), (id) => lower(id, "name", "first_name"));
    const types = new Map(Array.from(products.values(), ({ fields }) => [String(getItem(fields, "name")), getItem(fields, "product_id")]));
    this.productTypesJson = dumps(PyDict.from(Array.from(types).sort(([left], [right]) => compareStrings(left, right))));
  }
}

/**
 * The database of parsed JSON files.
 *
 * throws  CampaignError "environment.data-corrupt" naming the file and what it lacks
 */
export function retailDatabaseFromJson(files: {
  readonly orders: PyValue;
  readonly products: PyValue;
  readonly users: PyValue;
}): RetailDatabase {
  return new RetailDatabase({
    orders: checkedCollection("orders.json", files.orders, { user_id: "string", status: "string", items: "list", payment_history: "list" }),
    products: checkedCollection("products.json", files.products, { name: "string", product_id: "string", variants: "dict" }),
    users: checkedCollection("users.json", files.users, { name: "dict", address: "dict", email: "string", payment_methods: "dict" }),
  });
}
