// A shop wish in words.
import type { Random } from "#core/random-source.ts";
import { wish as agendaWish } from "#simulators/agenda.ts";
import type { WishWords } from "../domain.ts";
import { capital, type Person, type Said, sayBoth, you } from "../said.ts";
import type { Address, ItemChange, OrderName, PaymentName, Proof, RetailWish, WishOf } from "./wishes.ts";

export function retailWords(wish: RetailWish, random: Random): WishWords {
  const { told, words, details } = sayBoth((person, variant) => say(wish, person, variant), random);
  return {
    ...told,
    unknown: unknownOf(wish),
    agenda: agendaWish("other", { words, details: `${details} ${proofOf(wish.proof, "my")}`, payment: paymentOf(wish) }),
  };
}

/** "your e-mail address is …": what the user can prove who they are with. */
export function proofOf(proof: Proof, person: Person): string {
  const text = proof.by === "email" ? `${person} e-mail address is ${proof.email}` : `${person} postal code is ${proof.zip}`;
  return person === "my" ? `${capital(text)}.` : text;
}

function paymentOf(wish: RetailWish): string | null {
  const name = "payment" in wish ? wish.payment : "refund" in wish ? wish.refund : null;
  return name === null || name.by === "original" ? null : name.by === "id" ? name.id : name.source;
}

function unknownOf(wish: RetailWish): string[] {
  const name = "order" in wish ? wish.order : null;
  if (name === null || name.by === "id") return [];
  return [
    name.by === "product"
      ? `You do not remember the number of the order with the ${name.product}.`
      : "You do not remember the number of that order, nor what all was in it.",
  ];
}

function order(name: OrderName, person: Person): string {
  switch (name.by) {
    case "id":
      return `order ${name.id}`;
    case "product":
      return `${person} order with the ${name.product}`;
    case "most-paid":
      return `the one of all ${person} orders that cost the most`;
  }
}

const SOURCES = { credit_card: "credit card", gift_card: "gift card", paypal: "PayPal account" } as const;

function payment(name: PaymentName, person: Person): string {
  switch (name.by) {
    case "id":
      return `${person} payment method ${name.id}`;
    case "source":
      return `${person} only ${SOURCES[name.source]}`;
    case "original":
      return "the method that the order was paid with";
  }
}

const addressText = ({ address1, address2, city, state, country, zip }: Address): string =>
  `${address1}, ${address2}, ${city}, ${state}, ${country}, zip ${zip}`;
const list = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? "") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
const changeText = ({ product, option, value }: ItemChange): string => `the ${product} with ${option} "${value}"`;

/** `variant` 0 to 2 chooses the wording. */
function say(wish: RetailWish, person: Person, variant: number): Said {
  switch (wish.kind) {
    case "cancel":
      return sayCancel(wish, person, variant);
    case "user-address":
      return {
        want:
          [`change the address of ${person} account`, `update ${person} default address`, `have a new address in ${person} profile`][
            variant
          ] ?? "",
        known: [`The new address is ${addressText(wish.address)}.`],
        conduct: ["No order goes to another address than before."],
      };
    case "order-address":
      return sayOrderAddress(wish, person, variant);
    case "payment":
      return sayPayment(wish, person, variant);
    case "modify":
    case "exchange":
      return sayChange(wish, person, variant);
    case "return":
      return sayReturn(wish, person, variant);
    case "price":
      return sayPrice(wish, variant);
    case "paid":
      return sayPaid(wish, person, variant);
  }
}

function sayCancel({ order: name, reason, onlyItem }: WishOf<"cancel">, person: Person, variant: number): Said {
  const what = order(name, person);
  if (onlyItem !== null)
    return {
      want:
        [`cancel only the ${onlyItem} of ${what}`, `take the ${onlyItem} out of ${what}`, `have the ${onlyItem} removed from ${what}`][
          variant
        ] ?? "",
      known: [`The reason: ${reason}.`],
      conduct: ["Everything else of that order must still come."],
    };
  return {
    want: [`cancel ${what}`, `call off ${what}`, `have ${what} cancelled`][variant] ?? "",
    known: [`The only reason ${you(person)} can give: ${person === "your" ? reason.replace(" me ", " you ") : reason}.`],
  };
}

function sayOrderAddress({ order: name, address }: WishOf<"order-address">, person: Person, variant: number): Said {
  const what = order(name, person);
  const where = address === null ? `the address of ${person} profile` : "another address";
  return {
    want: [`have ${what} sent to ${where}`, `redirect ${what} to ${where}`, `change where ${what} goes, to ${where}`][variant] ?? "",
    known: address === null ? [] : [`The other address is ${addressText(address)}.`],
    conduct: [`${capital(person)} profile stays as it is.`],
  };
}

function sayPayment({ order: name, payment: method }: WishOf<"payment">, person: Person, variant: number): Said {
  const what = order(name, person);
  const other = payment(method, person);
  return {
    want:
      [`pay ${what} with ${other} instead`, `switch the payment of ${what} to ${other}`, `have ${what} charged to ${other}`][variant] ?? "",
  };
}

function sayChange(wish: WishOf<"modify" | "exchange">, person: Person, variant: number): Said {
  const what = order(wish.order, person);
  const changes = list(wish.changes.map(changeText));
  const wants =
    wish.kind === "modify"
      ? [`have ${what} changed to contain ${changes}`, `rather get ${changes} with ${what}`, `modify ${what} so that ${changes} will come`]
      : [
          `exchange what came with ${what} for ${changes}`,
          `swap what ${you(person)} got with ${what} for ${changes}`,
          `get ${changes} in exchange for what came with ${what}`,
        ];
  return {
    want: wants[variant] ?? "",
    known: [`The price difference goes over ${payment(wish.payment, person)}.`],
    conduct: ["Every other item and every option that is not mentioned stays as it was."],
  };
}

function sayReturn({ order: name, products, refund }: WishOf<"return">, person: Person, variant: number): Said {
  const what = order(name, person);
  const things = list(products.map((product) => `the ${product}`));
  return {
    want: [`return ${things} from ${what}`, `send back ${things} of ${what}`, `give back ${things} from ${what}`][variant] ?? "",
    known: [`The money is to go to ${payment(refund, person)}.`],
    conduct: ["Nothing is to be cancelled."],
  };
}

function sayPrice({ products }: WishOf<"price">, variant: number): Said {
  const what = `the lowest price at which each of these can be had now: ${products.join(", ")}`;
  return {
    want: [`know ${what}`, `find out ${what}`, `be told ${what}`][variant] ?? "",
    conduct: ["Nothing is to be ordered or changed."],
  };
}

function sayPaid({ order: name }: WishOf<"paid">, person: Person, variant: number): Said {
  const what = name === null ? `for all ${person} orders together, refunds taken off` : `for ${order(name, person)}, refunds taken off`;
  const paid = `how much ${you(person)} have paid ${what}`;
  return {
    want: [`know ${paid}`, `find out ${paid}`, `be told ${paid}`][variant] ?? "",
    conduct: ["Nothing is to be ordered or changed."],
  };
}
