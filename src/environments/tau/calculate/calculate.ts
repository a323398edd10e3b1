// The `calculate` tool: `str(round(float(eval(expression)), 2))` of Python, without Python and without eval.
import { floatRepr } from "../python/format.ts";
import { iterate } from "../python/operations.ts";
import { roundToCents } from "../python/round.ts";
import { PyError, PyFloat, type PyValue, typeName } from "../python/values.ts";
import { binary, Complex, type Operand, toFloat, typeOf, unary } from "./arithmetic.ts";
import { type Expression, parseExpression } from "./parse.ts";

const ALLOWED = "0123456789+-*/(). ";

/**
 * What tau-bench's tool answers, errors included. Throws PyError "TypeError" where the original fails before its own try block.
 * Differs in one place: powers beyond a million bits are answered as too large instead of computed.
 */
export function calculate(expression: PyValue): string {
  if (!hasOnlyAllowed(expression)) return "Error: invalid characters in expression";
  try {
    return evaluateText(expression);
  } catch (error) {
    if (error instanceof PyError) return `Error: ${error.message}`;
    throw error;
  }
}

/** `all(char in allowed for char in expression)` */
export function hasOnlyAllowed(expression: PyValue): boolean {
  for (const character of iterate(expression)) {
    if (typeof character !== "string")
      throw new PyError("TypeError", `'in <string>' requires string as left operand, not ${typeName(character)}`);
    if (!ALLOWED.includes(character)) return false;
  }
  return true;
}

/** `str(round(float(eval(expression)), 2))`. Throws PyError as Python does. */
export function evaluateText(expression: PyValue): string {
  if (typeof expression !== "string") throw new PyError("TypeError", "eval() arg 1 must be a string, bytes or code object");
  return floatRepr(roundToCents(toFloat(evaluate(parseExpression(expression)))));
}

function evaluate(tree: Expression): Operand {
  switch (tree.type) {
    case "number":
      return tree.value instanceof PyFloat ? tree.value.value : BigInt(tree.value);
    case "ellipsis":
      return "ellipsis";
    case "empty-tuple":
      return "tuple";
    case "unary":
      return unary(tree.operator, evaluate(tree.operand));
    case "binary":
      return binary(tree.operator, evaluate(tree.left), evaluate(tree.right));
    case "call":
      return refuseCall(tree);
  }
}

/** Nothing here can be called; the argument is evaluated and unpacked before Python finds out. */
function refuseCall(tree: Extract<Expression, { type: "call" }>): never {
  const callee = evaluate(tree.callee);
  const argument = tree.argument === null ? null : evaluate(tree.argument.value);
  if (argument !== null && tree.argument?.prefix === "*" && argument !== "tuple") {
    throw new PyError("TypeError", `${text(callee)} argument after * must be an iterable, not ${typeOf(argument)}`);
  }
  if (argument !== null && tree.argument?.prefix === "**") {
    throw new PyError("TypeError", `${text(callee)} argument after ** must be a mapping, not ${typeOf(argument)}`);
  }
  throw new PyError("TypeError", `'${typeOf(callee)}' object is not callable`);
}

function text(value: Operand): string {
  if (value === "ellipsis") return "Ellipsis";
  if (value === "tuple") return "()";
  if (value instanceof Complex)
    return `(${component(value.re)}${value.im < 0 || Object.is(value.im, -0) ? "" : "+"}${component(value.im)}j)`;
  return typeof value === "number" ? floatRepr(value) : String(value);
}

const component = (value: number) => floatRepr(value).replace(/\.0$/, "");
