// Every option that is a number has limits: it refuses what is beyond them, and what is no number, and says the limits.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Command, type Option } from "commander";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { numberOption, wholeNumberOption, wholeNumbersOption } from "../../../src/cli/number-options.ts";

const COMMANDS = join(REPOSITORY, "src/cli/commands");
/** Budgets, which may be as large as somebody can pay; an iteration and a number of tasks, of which there are only so many. */
const WITHOUT_LIMITS = ["--max-usd", "--max-calls", "--max-hours", "--iteration", "--tasks"];

async function optionsOfEveryCommand(): Promise<Option[]> {
  const program = new Command();
  for (const name of readdirSync(COMMANDS)) {
    const functions = Object.entries((await import(join(COMMANDS, name))) as Record<string, unknown>);
    for (const [key, register] of functions) {
      if (key.startsWith("register") && key !== "registerDoctor") (register as (program: Command) => void)(program);
    }
  }
  const below = (command: Command): Option[] => [...command.options, ...command.commands.flatMap(below)];
  return below(program);
}

test("no option that takes a number takes any number", async () => {
  const options = (await optionsOfEveryCommand()).filter(({ flags }) => /<(count|counts|number|n|share|mean|tokens)>/.test(flags));
  expect(options.length).toBeGreaterThan(25);
  const parsed = options.filter(({ long }) => !WITHOUT_LIMITS.includes(long ?? ""));
  for (const option of parsed) {
    for (const text of ["1e300", "-1e300", "", "many", "NaN", "0x10"]) {
      const parse = () => option.parseArg?.(text, undefined);
      expect(parse, `${option.flags} ${text}`).toThrow(
        expect.objectContaining({
          code: "config.invalid",
          message: expect.stringMatching(`^${option.long}: wanted a (whole )?number from .* to `),
        }),
      );
    }
  }
});

describe("a number option", () => {
  const range = fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1001, max: 100_000 }));

  test("takes what is within its limits and nothing else", () => {
    fc.assert(
      fc.property(range, fc.integer({ min: -1000, max: 200_000 }), ([min, max], value) => {
        for (const option of [wholeNumberOption("--n <n>", "", { min, max }), numberOption("--n <n>", "", { min, max })]) {
          const parse = () => option.parseArg?.(String(value), undefined);
          if (value >= min && value <= max) expect(parse()).toBe(value);
          else expect(parse).toThrow(`--n: wanted a`);
        }
      }),
    );
  });

  test("of whole numbers takes no fraction, and of a list every number keeps the limits", () => {
    expect(() => wholeNumberOption("--n <n>", "", { min: 0, max: 9 }).parseArg?.("1.5", undefined)).toThrow("a whole number from 0 to 9");
    expect(numberOption("--n <n>", "", { min: 0, max: 9 }).parseArg?.("1.5", undefined)).toBe(1.5);
    const list = wholeNumbersOption("--n <counts>", "", { min: 2, max: 9, default: [3] });
    expect(list.parseArg?.("2, 9", undefined)).toEqual([2, 9]);
    expect(() => list.parseArg?.("2,10", undefined)).toThrow("from 2 to 9");
    expect(() => list.parseArg?.(Array.from({ length: 101 }, () => "2").join(","), undefined)).toThrow("at most 100 numbers");
  });
});
