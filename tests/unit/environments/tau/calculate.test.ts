import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calculate } from "#environments/tau/calculate/calculate.ts";
import { roundToCents } from "#environments/tau/python/round.ts";

describe("calculate", () => {
  // What CPython 3.11 prints for str(round(float(eval(expression)), 2)).
  it.each([
    ["2 + 2", "4.0"],
    ["2.675 * 100", "267.5"],
    ["1234.565", "1234.57"],
    ["0.125", "0.12"],
    ["-3068466125753296 / 3", "-1022822041917765.4"],
    ["7 // -2", "-4.0"],
    ["-7.5 // 2", "-4.0"],
    ["-2 ** 2", "-4.0"],
    ["2 ** 3 ** 2", "512.0"],
    ["10 ** 400 // 10 ** 399", "10.0"],
    ["0 / -5", "-0.0"],
    ["1 / 0", "Error: division by zero"],
    ["1.0 // 0", "Error: float floor division by zero"],
    ["0 ** -1", "Error: 0.0 cannot be raised to a negative power"],
    ["10 ** 400", "Error: int too large to convert to float"],
    ["9 ** 9 ** 9", "Error: int too large to convert to float"],
    ["10.0 ** 400", "Error: (34, 'Numerical result out of range')"],
    ["(-8) ** 0.5", "Error: float() argument must be a string or a real number, not 'complex'"],
    ["5 % 3", "Error: invalid characters in expression"],
    ["", "Error: invalid syntax (<string>, line 0)"],
    ["(1", "Error: '(' was never closed (<string>, line 1)"],
    ["1)", "Error: unmatched ')' (<string>, line 1)"],
    ["(1 2)", "Error: invalid syntax. Perhaps you forgot a comma? (<string>, line 1)"],
    ["1 2", "Error: invalid syntax (<string>, line 1)"],
    ["(*1)", "Error: cannot use starred expression here (<string>, line 1)"],
    ["3(4)", "Error: 'int' object is not callable"],
    ["1(*2)", "Error: 1 argument after * must be an iterable, not int"],
    ["007", "Error: leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers (<string>, line 1)"],
    ["...", "Error: float() argument must be a string or a real number, not 'ellipsis'"],
  ])("%s gives %s", (expression, result) => {
    expect(calculate(expression)).toBe(result);
  });

  it("answers any text of its characters, however long or deep", () => {
    const character = fc.constantFrom(..."0123456789+-*/(). ");
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 40 }), (text) => {
        expect(typeof calculate(text)).toBe("string");
      }),
    );
    for (const text of [
      "(".repeat(100_000),
      "-".repeat(100_000),
      "1+".repeat(20_000) + "1",
      "9**".repeat(50) + "9",
      "1".repeat(10_000),
      "(1**".repeat(200) + "1",
      "1**".repeat(9_999) + "1",
      "1+".repeat(2_900) + "1",
    ]) {
      expect(typeof calculate(text)).toBe("string");
    }
  });

  it("rounds to the nearest hundredth of the exact value, ties to even", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), (eighths) => {
        const value = eighths / 8;
        const cents = Math.round(Math.abs(roundToCents(value)) * 100);
        const exact = Math.abs(eighths) * 125; // in thousandths
        expect(Math.abs(cents * 10 - exact)).toBeLessThanOrEqual(5);
        if (exact % 10 === 5) expect(cents % 2).toBe(0);
      }),
    );
  });
});
