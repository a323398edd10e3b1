import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { formatBytes, formatDifference, formatDuration, formatInterval, formatNumber, formatPercent } from "#core/format.ts";
import { plainText } from "#core/text.ts";
import { type Column, renderPairs, renderTable } from "../../../src/cli/output.ts";

const plain = (text: string) => stripVTControlCharacters(text);

describe("tables", () => {
  interface Row {
    readonly name: string;
    readonly value: number;
  }
  const columns: Column<Row>[] = [
    { header: "NAME", value: (row) => row.name },
    { header: "VALUE", align: "right", value: (row) => String(row.value) },
  ];

  test("text is aligned left, numbers right, and lines have no trailing spaces", () => {
    const table = plain(
      renderTable(
        columns,
        [
          { name: "a", value: 5 },
          { name: "longer", value: 12345 },
        ],
        80,
      ),
    );
    expect(table).toBe("NAME    VALUE\na           5\nlonger  12345");
  });

  test("no line is wider than the terminal while the text can shrink", () => {
    const rows = [
      { name: "x".repeat(50), value: 123 },
      { name: "y", value: 1 },
    ];
    for (const width of [60, 40, 25, 17]) {
      const lines = plain(renderTable(columns, rows, width)).split("\n");
      expect(lines).toHaveLength(3);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    }
  });

  test("on a terminal that is far too narrow every row becomes a block and nothing is cut", () => {
    const table = plain(
      renderTable(
        columns,
        [
          { name: "x".repeat(20), value: 7 },
          { name: "y", value: 8 },
        ],
        12,
      ),
    );
    expect(table).toBe(`NAME   ${"x".repeat(20)}\nVALUE  7\n\nNAME   y\nVALUE  8`);
  });

  test("colours do not count as width", () => {
    const coloured: Column<Row>[] = [
      { header: "N", value: () => "\u001b[31mred\u001b[39m" },
      { header: "V", value: () => "v" },
    ];
    expect(plain(renderTable(coloured, [{ name: "", value: 0 }], 80))).toBe("N    V\nred  v");
  });

  test("an empty table is its header", () => {
    expect(plain(renderTable(columns, [], 80))).toBe("NAME  VALUE");
  });

  test("labels of pairs share one column", () => {
    expect(
      plain(
        renderPairs([
          ["a", "1"],
          ["long", "2"],
        ]),
      ),
    ).toBe("a     1\nlong  2");
  });
});

describe("numbers", () => {
  test.each([
    [formatPercent(0.525), "52.5 %"],
    [formatPercent(null), "–"],
    [formatInterval({ value: 0.5, low: 0.4, high: 0.6 }), "50.0 % [40.0, 60.0]"],
    [formatInterval({ value: 0.5, low: null, high: null }), "50.0 %"],
    [formatInterval(undefined), "–"],
    [formatDifference({ value: 0.045, low: -0.01, high: 0.098 }), "+4.5 pp [-1.0, +9.8]"],
    [formatDifference({ value: 0, low: null, high: null }), "0.0 pp"],
    [formatNumber(1234567), "1234567"],
    [formatNumber(0.000123456), "0.0001235"],
    [formatNumber(0.25), "0.25"],
    [formatDuration(0.85), "850 ms"],
    [formatDuration(9.34), "9.3 s"],
    [formatDuration(59.97), "1 min 00 s"],
    [formatDuration(185), "3 min 05 s"],
    [formatDuration(3599.9), "1 h 00 min"],
    [formatDuration(7620), "2 h 07 min"],
    [formatBytes(940), "940 B"],
    [formatBytes(3210), "3.2 kB"],
    [formatBytes(999_700), "1.0 MB"],
    [formatBytes(150_000_000), "150 MB"],
  ])("%s", (actual, expected) => {
    expect(actual).toBe(expected);
  });
});

test("text of a model cannot move the cursor or break a line", () => {
  expect(plainText("a\u001b[2Jb\nc\td\u009b31m")).toBe("a\\u001b[2Jb\\nc\\td\\u009b31m");
});
