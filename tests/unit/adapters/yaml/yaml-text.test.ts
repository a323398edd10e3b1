// YAML is read in one way, everywhere: what parsers read differently or what has no end is refused with its place.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import { readRewardTable } from "#adapters/campaign-file/load-reward-table.ts";
import { loadRecipe } from "#adapters/seed-policy/load-recipe.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { utf8Text } from "#adapters/yaml/utf8-text.ts";
import { parseYaml } from "#adapters/yaml/yaml-text.ts";
import { registerAdvantages } from "../../../../src/cli/commands/advantages.ts";
import { runCommand } from "../../../fixtures/run-command.ts";
import { temporaryFolder } from "../../../fixtures/temporary-folder.ts";

const read = (text: string) => parseYaml(text, { name: "file.yaml", next: "" }).value;
const QUICKSTART = join(REPOSITORY, "configs/campaigns/quickstart.yaml");

/** Ten values, each of ten of the one before. */
const LAUGHS = Array.from(
  { length: 10 },
  (_, n) => `a${n}: &a${n} [${Array.from({ length: 10 }, () => (n === 0 ? "x" : `*a${n - 1}`)).join(", ")}]`,
);

const REFUSED: readonly [what: string, text: string, message: RegExp][] = [
  ["an alias without an anchor", "a: 1\nb: *nothing\n", /^file\.yaml: line 2, column 4: \*nothing names no anchor/],
  ["an alias before its anchor", "a: *x\nb: &x 1\n", /line 1, column 4: \*x names no anchor before it/],
  ["an alias as a key", "a: &x k\n*x : 1\n", /line 2, column 1: a key is/],
  ["a list as a key", "? [a]\n: 1\n", /line 1, column 3: a key is/],
  ["a value within itself", "a: &x\n  b: [1, *x]\n", /line 2, column 10: \*x stands inside/],
  ["ten lines of a thousand million values", LAUGHS.join("\n"), /aliases such as \*a\d make more than/],
  ["aliases without number", `a: &a 1\nb: [${"*a, ".repeat(2000)}]\n`, /more than 1000 aliases/],
  ["a merge key", "a: &x {k: 1}\nb:\n  <<: *x\n", /line 3, column 3: merge keys/],
  ["a key twice", "a: 1\nb: 2\na: 3\n", /line 3, column 1: not valid YAML: Map keys must be unique/],
  ["an unknown tag", "a: !python/object:os.system x\n", /line 1, column \d+: not valid YAML: Unresolved tag/],
  ["bytes", "a: !!binary aGk=\n", /the tag !!binary is not read/],
  ["two documents", "a: 1\n---\nb: 2\n", /line 2, column 1: not valid YAML: there is more than one document/],
  ["YAML 1.1", "%YAML 1.1\n---\na: no\n", /YAML 1\.1 reads words/],
  ["an unknown directive", "%THING x\n---\na: 1\n", /Unknown directive/],
  ["a tab as indentation", "a:\n\tb: 1\n", /line 2, column 1: not valid YAML: Tabs/],
  ["half a surrogate pair", 'a: "\\uD83D"\n', /line 1, column 4: half of a character/],
  ["a NUL", 'a: "x\\0"\n', /line 1, column 4: a NUL/],
  ["no end of brackets", "[".repeat(50_000), /nested too deeply/],
  ["a file as large as data", `a: ${"x".repeat(2_000_000)}`, /characters; such files have at most/],
  ["the prototype", "__proto__: {a: 1}\n", /__proto__ is no key/],
];

describe("parseYaml", () => {
  test.each(REFUSED)("refuses %s with its place", (_, text, message) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: "config.invalid", message: expect.stringMatching(message) }));
  });

  test("takes aliases of what stands before them, whole and as often as a person writes them", () => {
    expect(read("a: &x {k: [1, 2]}\nb: *x\nc: [*x, *x]\n")).toEqual({
      a: { k: [1, 2] },
      b: { k: [1, 2] },
      c: [{ k: [1, 2] }, { k: [1, 2] }],
    });
    expect(read('a: "*x"\nb: "\\uD83D\\uDE00"\n')).toEqual({ a: "*x", b: "😀" });
  });

  test("reads back whatever the YAML writer makes of JSON", () => {
    const words = fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed() && !text.includes("\0"));
    const keys = words.filter((text) => text !== "<<" && text !== "__proto__");
    const json = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: "small" }, words, fc.integer(), fc.boolean(), fc.constant(null), tie("list"), tie("map")),
      list: fc.array(tie("value"), { maxLength: 4 }),
      map: fc.dictionary(keys, tie("value"), { maxKeys: 4, noNullPrototype: true }),
    })).map;
    fc.assert(fc.property(json, (value) => void expect(read(stringify(value))).toEqual(value)));
  });

  test("throws nothing but config.invalid with a place, whatever the text", () => {
    const piece = fc.constantFrom(
      "a: ",
      "*x",
      "&x ",
      "<<: ",
      "- ",
      "[",
      "]",
      "{",
      "}",
      "!t ",
      "!!str ",
      "\n",
      "\n  ",
      "\t",
      "---\n",
      "%YAML 1.1\n",
      '"',
      "'",
      "|",
      "b",
      "? ",
      ": ",
      "#",
      "😀",
      "1",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          JSON.stringify(read(pieces.join("")));
        } catch (error) {
          expect(error).toMatchObject({ code: "config.invalid", message: expect.stringMatching(/^file\.yaml: (line \d+, )?column \d+: /) });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("utf8Text", () => {
  test("refuses UTF-16 in both orders, with and without a mark", () => {
    const little = Buffer.from("name: é\n", "utf16le");
    const big = Buffer.from(little).swap16();
    const marked = [Buffer.concat([Buffer.from([0xff, 0xfe]), little]), Buffer.concat([Buffer.from([0xfe, 0xff]), big])];
    for (const bytes of [little, big, ...marked]) expect(() => utf8Text(bytes, "f")).toThrow("f is written in UTF-16");
  });

  test("leaves a byte order mark out, and says where a byte of Latin-1 stands", () => {
    expect(utf8Text(Buffer.from("\uFEFFa: 1"), "f")).toBe("a: 1");
    expect(() => utf8Text(Buffer.from("a: 1\nname: café\n", "latin1"), "f")).toThrow("f: line 2, column 10: the byte 0xe9 is no UTF-8");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (before, after) => {
        fc.pre(before.isWellFormed() && after.isWellFormed() && !before.includes("\uFFFD") && !before.startsWith("\uFEFF"));
        const bytes = Buffer.concat([Buffer.from(`x${before}`), Buffer.from([0xff]), Buffer.from(after)]);
        const lines = `x${before}`.split("\n");
        expect(() => utf8Text(bytes, "f")).toThrow(`line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}: the byte 0xff`);
      }),
    );
  });
});

describe("every place that reads YAML", () => {
  const file = (text: string) => {
    const path = join(temporaryFolder(), "own.yaml");
    writeFileSync(path, text);
    return path;
  };
  const advantages = (...args: string[]) => {
    const rollouts = join(temporaryFolder(), "rollouts.jsonl");
    const messages = [
      { role: "user", content: "hi" },
      { role: "assistant", content: "yes" },
    ];
    writeFileSync(rollouts, `${JSON.stringify({ task_id: "t", messages, outcome: 1 })}\n`);
    return runCommand(registerAdvantages, ["advantages", rollouts, ...args], {});
  };
  const PLACES: readonly [string, (text: string) => Promise<unknown>][] = [
    ["a campaign file", async (text) => await loadCampaignFile(file(text))],
    ["--set of a campaign", async (text) => await loadCampaignFile(QUICKSTART, [`description=${text}`])],
    ["a reward table", async (text) => await readRewardTable(file(text), "finer/1")],
    ["a recipe", async (text) => await loadRecipe(file(text))],
    ["--rewards", async (text) => await advantages("--rewards", file(text))],
    ["--tiers", async (text) => await advantages("--tiers", file(text))],
    ["--set of an estimator", async (text) => await advantages("--set", `gamma=${text}`)],
  ];

  test.each(PLACES)("%s refuses all of it", async (_, open) => {
    for (const [, text] of REFUSED)
      await expect(open(text)).rejects.toMatchObject({
        code: "config.invalid",
        message: expect.stringMatching(/column \d+: |YAML 1\.1|characters;/),
      });
  });

  test("--set names itself and the column", async () => {
    await expect(loadCampaignFile(QUICKSTART, ["description=[1, *x]"])).rejects.toThrow(
      "--set description=[1, *x]: column 5: *x names no anchor",
    );
    await expect(advantages("--set", "gamma=*x")).rejects.toThrow("--set gamma=*x: column 1: *x names no anchor");
    await expect(advantages("--set", "scope=*")).rejects.toThrow("--set scope=*: column 1: ");
  });

  test("a campaign file with aliases is read, and a --set value changes one of their places alone", async () => {
    const text = readFileSync(QUICKSTART, "utf8")
      .replace(/^seed: .*/m, "seed: &seed 7")
      .replace(/^ {2}seed: 1$/m, "  seed: *seed");
    expect(text).toContain("*seed");
    const config = await loadCampaignFile(file(text), ["environment.seed=9"]);
    expect([config.seed, config.environment]).toEqual([7, expect.objectContaining({ seed: 9 })]);
  });
});
