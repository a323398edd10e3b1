// What a shop's user can want, with the facts that this user knows.

/** How the user names an order: by its id, by a product that only it has, or as the one that cost most of all. */
export type OrderName =
  | { readonly by: "id"; readonly id: string }
  | { readonly by: "product"; readonly product: string }
  | { readonly by: "most-paid" };

export type PaymentName =
  | { readonly by: "id"; readonly id: string }
  /** The user's only method of this source. */
  | { readonly by: "source"; readonly source: "credit_card" | "gift_card" | "paypal" }
  /** What the order was paid with. */
  | { readonly by: "original" };

export interface Address {
  readonly address1: string;
  readonly address2: string;
  readonly city: string;
  readonly state: string;
  readonly country: string;
  readonly zip: string;
}

/** An item of the order by its product's name, and the one option that is to be different. */
export interface ItemChange {
  readonly product: string;
  readonly option: string;
  readonly value: string;
}

/** How the user proves who they are. */
export type Proof =
  | { readonly by: "email"; readonly email: string }
  | { readonly by: "name-zip"; readonly first_name: string; readonly last_name: string; readonly zip: string };

export type RetailWish = { readonly proof: Proof } /** `onlyItem`: of several items, the one that is not wanted any more. */ & (
  | { readonly kind: "cancel"; readonly order: OrderName; readonly reason: string; readonly onlyItem: string | null }
  | { readonly kind: "user-address"; readonly address: Address }
  /** null: the address of the profile. */
  | { readonly kind: "order-address"; readonly order: OrderName; readonly address: Address | null }
  | { readonly kind: "payment"; readonly order: OrderName; readonly payment: PaymentName }
  | {
      readonly kind: "modify" | "exchange";
      readonly order: OrderName;
      readonly changes: readonly ItemChange[];
      readonly payment: PaymentName;
    }
  | { readonly kind: "return"; readonly order: OrderName; readonly products: readonly string[]; readonly refund: PaymentName }
  /** The lowest price of a product that can be had, for each product. */
  | { readonly kind: "price"; readonly products: readonly string[] }
  /** What was paid; null: for all orders together. */
  | { readonly kind: "paid"; readonly order: OrderName | null }
);
export type RetailKind = RetailWish["kind"];
export type WishOf<Kind extends RetailKind> = Extract<RetailWish, { kind: Kind }>;
