// Wishes of one shop user that are worth trying: every kind, every way to name an order or a payment, drawn items and addresses.

import type { Random } from "#core/random-source.ts";
import { deriveSeed, seedToInt } from "#core/rng.ts";
import type { Purpose } from "../decision.ts";
import { inTurn } from "../in-turn.ts";
import type { World } from "../world.ts";
import { type Order, type OrderItem, type Product, paidFor, type RetailUser, readProof } from "./database-reads.ts";
import type { Address, ItemChange, OrderName, PaymentName, Proof, RetailKind, RetailWish } from "./wishes.ts";

export interface Person {
  readonly userId: string;
  readonly user: RetailUser;
  readonly orders: readonly Order[];
  readonly proof: Proof;
}

interface Maker {
  readonly kind: RetailKind;
  readonly make: () => RetailWish | null;
}
interface Drawing {
  readonly person: Person;
  readonly world: World;
  readonly numReads: number;
  readonly random: Random;
}

const BAD_REASONS = ["found it cheaper elsewhere", "takes too long to arrive", "a friend gave me the same"] as const;
const GOOD_REASONS = ["no longer needed", "ordered by mistake"] as const;
const MOST_ITEMS = 4;
const NUM_DRAWS = 3;

/** Lazy, in random order. Many are not what was asked for: the caller keeps those whose decision has the right purpose and evidence. */
export function* proposeRetail(drawing: Drawing, purpose: Purpose): Generator<RetailWish> {
  const { person, random } = drawing;
  const { proof } = person;
  const makers: Maker[] =
    purpose === "answer"
      ? [...paidMakers(drawing), ...priceMakers(drawing)]
      : [
          ...person.orders.flatMap((order) => orderMakers(drawing, order)),
          ...(purpose === "write"
            ? [{ kind: "user-address" as const, make: () => ({ proof, kind: "user-address" as const, address: drawAddress(drawing) }) }]
            : strangersOrderMakers(drawing)),
        ];
  for (const { make } of inTurn(makers, ({ kind }) => kind, random)) {
    const wish = make();
    if (wish !== null) yield wish;
  }
}

/** Null for a user whom the shop would take for another. Which proof a user gives depends on the user alone. */
export function personOf(world: World, userId: string): Person | null {
  const user = world.records("users").get(userId) as unknown as RetailUser;
  const known = world.records("orders") as unknown as ReadonlyMap<string, Order>;
  const orders = user.orders.flatMap((id) => known.get(id) ?? []);
  const byEmail = seedToInt(deriveSeed("proof", userId)) % 2 === 0;
  const proof: Proof = byEmail ? { by: "email", email: user.email } : { by: "name-zip", ...user.name, zip: user.address.zip };
  return world.answer(readProof(proof)) === userId ? { userId, user, orders, proof } : null;
}

function orderNames({ orders }: Person, order: Order): OrderName[] {
  const others = orders.filter((other) => other !== order);
  const isOnlyHere = ({ name }: OrderItem) => !others.some((other) => other.items.some((item) => item.name === name));
  const [product] = order.items.filter(isOnlyHere);
  const isDearest = others.length > 0 && others.every((other) => paidFor(other) < paidFor(order));
  return [
    { by: "id", id: order.order_id },
    ...(product === undefined ? [] : [{ by: "product" as const, product: product.name }]),
    ...(isDearest ? [{ by: "most-paid" as const }] : []),
  ];
}

function paymentNames({ payment_methods }: RetailUser): PaymentName[] {
  const methods = Object.values(payment_methods);
  const only = methods.filter(({ source }) => methods.filter((other) => other.source === source).length === 1);
  return [
    ...methods.map(({ id }): PaymentName => ({ by: "id", id })),
    ...only.map(({ source }): PaymentName => ({ by: "source", source: source as "credit_card" | "gift_card" | "paypal" })),
    { by: "original" },
  ];
}

function orderMakers(drawing: Drawing, order: Order): Maker[] {
  const names = orderNames(drawing.person, order);
  if (order.items.length === 0) return [];
  if (order.status === "pending") return names.flatMap((name) => pendingMakers(drawing, order, name));
  return order.status === "delivered" ? names.flatMap((name) => deliveredMakers(drawing, order, name)) : [];
}

function pendingMakers(drawing: Drawing, order: Order, name: OrderName): Maker[] {
  const { person, random } = drawing;
  const { proof, user } = person;
  const base = { proof, order: name };
  const cancel = (reason: string, onlyItem: string | null): Maker => ({
    kind: "cancel",
    make: () => ({ ...base, kind: "cancel", reason, onlyItem }),
  });
  return [
    cancel(random.pick(GOOD_REASONS), null),
    cancel(random.pick(BAD_REASONS), null),
    ...(order.items.length > 1 ? [cancel(random.pick(GOOD_REASONS), random.pick(order.items).name)] : []),
    ...[null, drawAddress(drawing)].map(
      (address): Maker => ({ kind: "order-address", make: () => ({ ...base, kind: "order-address", address }) }),
    ),
    ...paymentNames(user).flatMap((payment): Maker[] =>
      payment.by === "original" ? [] : [{ kind: "payment", make: () => ({ ...base, kind: "payment", payment }) }],
    ),
    ...changeMakers(drawing, order, name, "modify"),
    returnMaker(drawing, order, name, { by: "original" }),
  ];
}

function deliveredMakers(drawing: Drawing, order: Order, name: OrderName): Maker[] {
  const refunds = paymentNames(drawing.person.user);
  return [...changeMakers(drawing, order, name, "exchange"), ...refunds.map((refund) => returnMaker(drawing, order, name, refund))];
}

function returnMaker({ person, random }: Drawing, order: Order, name: OrderName, refund: PaymentName): Maker {
  const products = random.shuffle(order.items.map((item) => item.name)).slice(0, random.int(1, order.items.length));
  const make = (): RetailWish => ({ proof: person.proof, kind: "return", order: name, products, refund });
  return { kind: "return", make };
}

/** One to four items of the order, each with one option changed to what another available variant has. */
function changeMakers(drawing: Drawing, order: Order, name: OrderName, kind: "modify" | "exchange"): Maker[] {
  const { person, random } = drawing;
  const counts = Array.from({ length: Math.min(MOST_ITEMS, order.items.length) }, (_, index) => index + 1);
  return counts.flatMap((count) =>
    paymentNames(person.user).map((payment): Maker => {
      const make = (): RetailWish | null => {
        const changes = drawChanges(drawing, random.shuffle(order.items).slice(0, count));
        return changes === null ? null : { proof: person.proof, kind, order: name, changes, payment };
      };
      return { kind, make };
    }),
  );
}

function drawChanges({ world, random }: Drawing, items: readonly OrderItem[]): ItemChange[] | null {
  const changes = items.flatMap((item): ItemChange[] => {
    const product = world.records("products").get(item.product_id) as unknown as Product | undefined;
    const options = product === undefined ? [] : singleChanges(item, product);
    return options.length === 0 ? [] : [random.pick(options)];
  });
  return changes.length === items.length ? changes : null;
}

/** Changes of one option that an available variant fulfils. */
function singleChanges(item: OrderItem, { variants }: Product): ItemChange[] {
  return Object.values(variants).flatMap(({ options, available }) => {
    const different = Object.keys(options).filter((key) => options[key] !== item.options[key]);
    const [option, ...others] = different;
    if (!available || option === undefined || others.length > 0) return [];
    return [{ product: item.name, option, value: options[option] ?? "" }];
  });
}

/** The address of some other user: a new home. */
function drawAddress({ world, random, person }: Drawing): Address {
  const other = world.records("users").get(random.pick(world.userIds)) as unknown as RetailUser;
  return other.address.zip === person.user.address.zip ? { ...other.address, address2: "Suite 1" } : other.address;
}

/** A pending order of somebody else, known by its id. */
function strangersOrderMakers({ world, person, random }: Drawing): Maker[] {
  const orders = Array.from(world.records("orders").values()) as unknown as Order[];
  const others = orders.filter(({ user_id, status }) => user_id !== person.userId && status === "pending");
  if (others.length === 0) return [];
  return Array.from({ length: NUM_DRAWS }, (): Maker => {
    const { order_id: id } = random.pick(others);
    const make = (): RetailWish => ({
      proof: person.proof,
      kind: "cancel",
      order: { by: "id", id },
      reason: GOOD_REASONS[0],
      onlyItem: null,
    });
    return { kind: "cancel", make };
  });
}

function paidMakers({ person }: Drawing): Maker[] {
  const { proof, orders } = person;
  const names = [...(orders.length > 1 ? [null] : []), ...orders.flatMap((order) => orderNames(person, order))];
  return names.map((order): Maker => ({ kind: "paid", make: () => ({ proof, kind: "paid", order }) }));
}

/** One read is the list of products, the others the products. */
function priceMakers({ world, person, numReads, random }: Drawing): Maker[] {
  const names = Array.from(world.records("products").values(), (product) => (product as unknown as Product).name);
  if (numReads < 2) return [];
  const make = (): RetailWish => ({ proof: person.proof, kind: "price", products: random.shuffle(names).slice(0, numReads - 1) });
  return Array.from({ length: NUM_DRAWS }, () => ({ kind: "price", make }));
}
