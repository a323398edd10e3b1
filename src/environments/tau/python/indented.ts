// `json.dump(value, file, indent=2)`: how the benchmarks' runners write their result files. Floats that were read keep all their digits.
import { dumpsExact, jsonString } from "./format.ts";
import { isDict, isList, type PyValue } from "./values.ts";

/** The text, without a line break at the end. Empty lists and dicts stay on one line. */
export function dumpsIndented(value: PyValue, indent = ""): string {
  const inner = `${indent}  `;
  const block = (open: string, lines: readonly string[], close: string) =>
    lines.length === 0 ? open + close : `${open}\n${inner}${lines.join(`,\n${inner}`)}\n${indent}${close}`;
  if (isList(value))
    return block(
      "[",
      value.map((item) => dumpsIndented(item, inner)),
      "]",
    );
  if (!isDict(value)) return dumpsExact(value);
  return block(
    "{",
    Array.from(value, ([key, item]) => `${jsonString(key)}: ${dumpsIndented(item, inner)}`),
    "}",
  );
}
