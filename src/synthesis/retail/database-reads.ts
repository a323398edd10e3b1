// Reading the shop through a reader: who the user is, their orders, products, and the record that the user's words mean.
import { type DatabaseReader, theLeast, theMost, theOnly, Undecidable } from "../decision.ts";
import { call, type Read } from "../world.ts";
import type { Address, ItemChange, OrderName, PaymentName, Proof } from "./wishes.ts";

export interface RetailUser {
  readonly name: { readonly first_name: string; readonly last_name: string };
  readonly address: Address;
  readonly email: string;
  readonly payment_methods: Readonly<Record<string, { readonly source: string; readonly id: string; readonly balance?: number }>>;
  readonly orders: readonly string[];
}

export interface OrderItem {
  readonly name: string;
  readonly product_id: string;
  readonly item_id: string;
  readonly price: number;
  readonly options: Readonly<Record<string, string>>;
}

export interface Order {
  readonly order_id: string;
  readonly user_id: string;
  readonly address: Address;
  readonly items: readonly OrderItem[];
  readonly status: string;
  readonly payment_history: readonly { readonly transaction_type: string; readonly amount: number; readonly payment_method_id: string }[];
}

export interface Variant {
  readonly item_id: string;
  readonly options: Readonly<Record<string, string>>;
  readonly available: boolean;
  readonly price: number;
}
export interface Product {
  readonly name: string;
  readonly product_id: string;
  readonly variants: Readonly<Record<string, Variant>>;
}

const readOrder = (order_id: string): Read => call("get_order_details", { order_id });
const readProfile = (user_id: string): Read => call("get_user_details", { user_id });

export function readProof(proof: Proof): Read {
  if (proof.by === "email") return call("find_user_id_by_email", { email: proof.email });
  const { first_name, last_name, zip } = proof;
  return call("find_user_id_by_name_zip", { first_name, last_name, zip });
}

/** The user id that the proof leads to: the policy asks for it before anything else. */
export const authenticate = (reader: DatabaseReader, proof: Proof): string => String(reader.read(readProof(proof)));
export const profileOf = (reader: DatabaseReader, userId: string): RetailUser => reader.read(readProfile(userId)) as unknown as RetailUser;
export const orderOf = (reader: DatabaseReader, id: string): Order => reader.read(readOrder(id)) as unknown as Order;
const productOf = (reader: DatabaseReader, id: string): Product =>
  reader.read(call("get_product_details", { product_id: id })) as unknown as Product;

/** In whole cents: dollars are floats, and their sums would not be. */
const cents = (dollars: number): number => Math.round(dollars * 100);
/** "1819.92"; "247", which is also found in "247.00". */
export const dollars = (inCents: number): string => String(inCents / 100);

/** Payments without refunds, in cents. */
export const paidFor = ({ payment_history }: Order): number =>
  payment_history.reduce((sum, { transaction_type, amount }) => sum + (transaction_type === "payment" ? cents(amount) : -cents(amount)), 0);

/** The order that is meant. One named as the dearest needs all of the user's orders, one named by a product only itself. */
export function locateOrder(reader: DatabaseReader, userId: string, name: OrderName): Order {
  if (name.by === "id") return orderOf(reader, name.id);
  const ids = profileOf(reader, userId).orders;
  if (name.by === "product") return orderOf(reader, theOnly(ids.filter(holds(reader, name.product)), `orders with a ${name.product}`));
  return theMost(
    ids.map((id) => orderOf(reader, id)),
    paidFor,
    "the order that cost most",
  );
}

const holds =
  (reader: DatabaseReader, product: string) =>
  (id: string): boolean => {
    const order = reader.peek(readOrder(id)) as unknown as Order | null;
    return order?.items.some((item) => item.name === product) ?? false;
  };

/** The payment id that is meant. */
export function locatePayment(reader: DatabaseReader, userId: string, order: Order, name: PaymentName): string {
  switch (name.by) {
    case "id":
      return name.id;
    case "original": {
      const [first] = order.payment_history;
      if (first === undefined) throw new Undecidable("the order was never paid");
      return first.payment_method_id;
    }
    case "source":
      return theOnly(
        Object.values(profileOf(reader, userId).payment_methods).filter(({ source }) => source === name.source),
        `payment methods of source ${name.source}`,
      ).id;
  }
}

/** The one item of the order of this product. */
export const itemOf = ({ items }: Order, product: string): OrderItem =>
  theOnly(
    items.filter(({ name }) => name === product),
    `items of ${product}`,
  );

/** The one available variant that differs from the item in the option and in nothing else. */
export function replacementOf(reader: DatabaseReader, item: OrderItem, { option, value }: ItemChange): string {
  const wanted: Readonly<Record<string, string>> = { ...item.options, [option]: value };
  const isWanted = ({ options }: Variant): boolean =>
    Object.keys(options).length === Object.keys(wanted).length && Object.entries(options).every(([key, text]) => wanted[key] === text);
  const variants = Object.values(productOf(reader, item.product_id).variants);
  return theOnly(
    variants.filter((variant) => variant.available && isWanted(variant) && variant.item_id !== item.item_id),
    "variants with these options",
  ).item_id;
}

/** The lowest price of an available variant, in cents. */
export function lowestPrice(reader: DatabaseReader, productId: string): number {
  const available = Object.values(productOf(reader, productId).variants).filter((variant) => variant.available);
  return cents(theLeast(available, ({ price }) => price, "the cheapest variant").price);
}
