import { describe, expect, test } from "vitest";
import { factsOf, Knowledge, type Places } from "#simulators/audit/facts.ts";

const PLACES: Places = [
  ["IAH", "Houston"],
  ["SEA", "Seattle"],
];
const keys = (text: string) => factsOf(text, PLACES).map(({ kind, key }) => `${kind} ${key}`);

describe("digits", () => {
  const isKnown = (said: string, text: string) => factsOf(said, []).every((fact) => new Knowledge(text).has(fact));

  test.each([
    ["item 11512936801", "item 1151293680 of the order"],
    ["item 115129368", "item 1151293680 of the order"],
    ["mia_li_366", '{"user_id": "mia_li_3668"}'],
    ["$2,512,292,042,121,000,001", '{"amount": 2512292042121000000}'],
  ])("%j is not known from %j", (said, text) => expect(isKnown(said, text)).toBe(false));

  test.each([
    ["item 1151293680", '{"item_ids": ["1151293680"]}'],
    ["order W1234567", '{"order_id": "#W1234567"}'],
    ["certificate 12345678", '{"payment_id": "certificate_12345678"}'],
    ["$1,200.50", '{"amount": 1200.5}'],
    ["the card that ends in 4486", '{"payment_id": "credit_card_4421_4486"}'],
  ])("%j is known from %j", (said, text) => expect(isKnown(said, text)).toBe(true));
});

describe("facts of a message", () => {
  test.each([
    ["My id is mia_li_3668, reservation NQNU5R.", ["id mia_li_3668", "id nqnu5r"]],
    ["Order #W1234567 with credit_card_4421486", ["id w1234567", "id credit_card_4421486"]],
    ["item 1151293680 please", ["id 1151293680"]],
    ["Flight HAT081 please", ["id hat081"]],
    ["I am at a.b@example.com", ["email a.b@example.com"]],
    ["on May 27th, 2024-05-20 or 3 June", ["date 5-27", "date 5-20", "date 6-3"]],
    ["It costs $1,200 or 350.50 dollars", ["number 1200", "number 350.5"]],
    ["The card ends in 9725, zip 77243", ["number 9725", "number 77243"]],
    ["3 bags and two passengers", ["number 3", "number 2"]],
    ["My name is Kevin Smith", ["name kevin smith"]],
    ["from Houston to SEA", ["place IAH|Houston", "place SEA|Seattle"]],
  ])("%j", (text, found) => {
    expect(keys(text)).toEqual(expect.arrayContaining(found));
    expect(keys(text)).toHaveLength(found.length);
  });

  test.each([
    "I may fly at 11:30 or 5pm, in 2024.",
    "I have 3 wishes and one of them is big.",
    "THANK YOU, PLEASE HURRY",
    "The first one, please.",
    "I see the sea.",
  ])("%j states none", (text) => {
    expect(keys(text).filter((key) => !key.startsWith("id"))).toEqual([]);
  });
});

describe("knowledge", () => {
  const knowledge = new Knowledge(
    "You are mia_li_3668, fly to Houston on 2024-05-27 with three bags for 1,200 dollars, card 1239725, Kevin Smith",
  );

  test.each(["mia_li_3668", "MAY 27", "$1200", "3 bags", "card 9725", "my name is Kevin Smith", "IAH"])("has %j", (text) => {
    const facts = factsOf(text, PLACES);
    expect(facts).not.toHaveLength(0);
    expect(facts.every((fact) => knowledge.has(fact))).toBe(true);
  });

  test.each(["mia_li_3669", "May 28", "$1201", "4 bags", "card 9726", "my name is Kevin Jones", "SEA", "mia@li.com"])(
    "has no %j",
    (text) => {
      const facts = factsOf(text, PLACES);
      expect(facts).not.toHaveLength(0);
      expect(facts.some((fact) => knowledge.has(fact))).toBe(false);
    },
  );
});
