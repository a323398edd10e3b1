// Python's arithmetic on the values of an expression: big ints, floats, and what else the allowed characters can produce.
import { PyError } from "../python/values.ts";
import type { BinaryOperator } from "./parse.ts";

/** bigint is a Python int, number a float. */
export type Operand = bigint | number | Complex | "ellipsis" | "tuple";

export class Complex {
  readonly re: number;
  readonly im: number;
  constructor(re: number, im: number) {
    this.re = re;
    this.im = im;
  }
}

/** Results beyond this many bits are refused as too large; Python would compute them, if need be for hours. */
const MAX_BITS = 1_000_000;

export function typeOf(value: Operand): string {
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return "float";
  return value instanceof Complex ? "complex" : value;
}

const typeError = (message: string) => new PyError("TypeError", message);
const zeroDivision = (message: string) => new PyError("ZeroDivisionError", message);
const tooLarge = () => new PyError("OverflowError", "int too large to convert to float");

/** `float(value)` */
export function toFloat(value: Operand): number {
  if (typeof value === "number") return value;
  if (typeof value !== "bigint") throw typeError(`float() argument must be a string or a real number, not '${typeOf(value)}'`);
  const float = Number(value);
  if (!Number.isFinite(float)) throw tooLarge();
  return float;
}

/** `+value` or `-value` */
export function unary(operator: "+" | "-", value: Operand): Operand {
  if (typeof value === "string") throw typeError(`bad operand type for unary ${operator}: '${value}'`);
  if (operator === "+") return value;
  return value instanceof Complex ? new Complex(-value.re, -value.im) : -value;
}

/** `left operator right` */
export function binary(operator: BinaryOperator, left: Operand, right: Operand): Operand {
  if (left === "tuple" || right === "tuple") return withTuple(operator, left, right);
  if (left === "ellipsis" || right === "ellipsis") throw unsupported(operator, left, right);
  if (left instanceof Complex || right instanceof Complex)
    return complexBinary(operator, toComplex(left), toComplex(right), () => unsupported(operator, left, right));
  if (typeof left === "bigint" && typeof right === "bigint") return INTEGER[operator](left, right);
  return FLOAT[operator](toFloat(left), toFloat(right));
}

function unsupported(operator: BinaryOperator, left: Operand, right: Operand): PyError {
  const name = operator === "**" ? "** or pow()" : operator;
  return typeError(`unsupported operand type(s) for ${name}: '${typeOf(left)}' and '${typeOf(right)}'`);
}

/** Only the empty tuple can occur: it can be added to itself and repeated. */
function withTuple(operator: BinaryOperator, left: Operand, right: Operand): Operand {
  if (operator === "+" && left === "tuple") {
    if (right === "tuple") return "tuple";
    throw typeError(`can only concatenate tuple (not "${typeOf(right)}") to tuple`);
  }
  if (operator === "*") {
    const times = left === "tuple" ? right : left;
    if (typeof times === "bigint") {
      if (BigInt.asIntN(64, times) !== times) throw new PyError("OverflowError", "cannot fit 'int' into an index-sized integer");
      return "tuple";
    }
    throw typeError(`can't multiply sequence by non-int of type '${typeOf(times)}'`);
  }
  throw unsupported(operator, left, right);
}

const INTEGER: Readonly<Record<BinaryOperator, (left: bigint, right: bigint) => Operand>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": divideIntegers,
  "//": (left, right) => {
    if (right === 0n) throw zeroDivision("integer division or modulo by zero");
    const quotient = left / right;
    return left % right !== 0n && left < 0n !== right < 0n ? quotient - 1n : quotient;
  },
  "**": (left, right) => {
    if (right < 0n) return powerFloats(toFloat(left), toFloat(right));
    const isSmall = left >= -1n && left <= 1n;
    if (!isSmall && BigInt(bitLength(left) - 1) * right > BigInt(MAX_BITS)) throw tooLarge();
    return left ** right;
  },
};

function bitLength(value: bigint): number {
  return (value < 0n ? -value : value).toString(2).length;
}

/** True division of ints, correctly rounded like CPython's. */
function divideIntegers(left: bigint, right: bigint): number {
  if (right === 0n) throw zeroDivision("division by zero");
  const isSafe = (value: bigint) => value >= -(2n ** 53n) && value <= 2n ** 53n;
  if (isSafe(left) && isSafe(right)) return Number(left) / Number(right);
  const isNegative = left < 0n !== right < 0n;
  const [numerator, denominator] = [left < 0n ? -left : left, right < 0n ? -right : right];
  // A quotient of at least 66 bits with a sticky last bit rounds to the double that the exact quotient rounds to, subnormals aside.
  const shift = Math.max(0, 66 - (bitLength(numerator) - bitLength(denominator)));
  const scaled = (numerator << BigInt(shift)) / denominator;
  const sticky = (numerator << BigInt(shift)) % denominator === 0n ? 0n : 1n;
  const magnitude = scaleDown((scaled << 1n) | sticky, shift + 1);
  if (!Number.isFinite(magnitude)) throw new PyError("OverflowError", "integer division result too large for a float");
  return isNegative ? -magnitude : magnitude;
}

/** `value / 2^shift`, in steps that keep the power of two a double. */
function scaleDown(value: bigint, shift: number): number {
  const excess = bitLength(value) - 1000;
  if (excess > 0) {
    const dropped = BigInt(excess);
    const sticky = value & ((1n << dropped) - 1n) ? 1n : 0n;
    return scaleDown((value >> dropped) | sticky, shift - excess);
  }
  let result = Number(value);
  let left = shift;
  for (; left > 1000; left -= 1000) result /= 2 ** 1000;
  for (; left < -1000; left += 1000) result *= 2 ** 1000;
  return left >= 0 ? result / 2 ** left : result * 2 ** -left;
}

const FLOAT: Readonly<Record<BinaryOperator, (left: number, right: number) => Operand>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => {
    if (right === 0) throw zeroDivision("float division by zero");
    return left / right;
  },
  "//": floorDivideFloats,
  "**": powerFloats,
};

/** CPython's float floor division, remainder first. */
function floorDivideFloats(left: number, right: number): number {
  if (right === 0) throw zeroDivision("float floor division by zero");
  const remainder = left % right;
  let quotient = (left - remainder) / right;
  if (remainder !== 0 && right < 0 !== remainder < 0) quotient -= 1;
  if (quotient === 0) return left / right < 0 || Object.is(left / right, -0) ? -0 : 0;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

function powerFloats(base: number, exponent: number): Operand {
  if (exponent === 0 || base === 1) return 1;
  if (base === 0 && exponent < 0) throw zeroDivision("0.0 cannot be raised to a negative power");
  if (Number.isFinite(base) && base < 0 && Number.isFinite(exponent) && !Number.isInteger(exponent)) {
    return complexPower(new Complex(base, 0), new Complex(exponent, 0));
  }
  const result = Number.isInteger(exponent) && Math.abs(exponent) <= 2048 ? integerPower(base, exponent) : base ** exponent;
  const isFiniteInput = Number.isFinite(base) && Number.isFinite(exponent);
  if (isFiniteInput && !Number.isFinite(result)) throw new PyError("OverflowError", "(34, 'Numerical result out of range')");
  if (Math.abs(base) === 1 && !Number.isFinite(exponent)) return 1;
  return result;
}

/** A whole power, correctly rounded: the engine's own `**` may be off in the last digit, C's `pow` practically is not. */
function integerPower(base: number, exponent: number): number {
  if (!Number.isFinite(base) || base === 0) return base ** exponent;
  const [mantissa, twos] = decompose(base);
  const power = mantissa ** BigInt(Math.abs(exponent));
  if (exponent > 0) return scaleBy(power, 1n, twos * exponent);
  return scaleBy(1n, power, twos * exponent);
}

/** value = mantissa * 2^twos, exactly. */
function decompose(value: number): [bigint, number] {
  let scaled = value;
  let twos = 0;
  for (; Math.abs(scaled) >= 2 ** 53; twos += 1) scaled /= 2;
  for (; !Number.isInteger(scaled); twos -= 1) scaled *= 2;
  return [BigInt(scaled), twos];
}

function scaleBy(numerator: bigint, denominator: bigint, twos: number): number {
  const [top, bottom] = twos >= 0 ? [numerator << BigInt(twos), denominator] : [numerator, denominator << BigInt(-twos)];
  try {
    return divideIntegers(top, bottom);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

const toComplex = (value: Complex | bigint | number) => (value instanceof Complex ? value : new Complex(toFloat(value), 0));

function complexBinary(operator: BinaryOperator, left: Complex, right: Complex, refuse: () => PyError): Complex {
  switch (operator) {
    case "+":
      return new Complex(left.re + right.re, left.im + right.im);
    case "-":
      return new Complex(left.re - right.re, left.im - right.im);
    case "*":
      return new Complex(left.re * right.re - left.im * right.im, left.re * right.im + left.im * right.re);
    case "/":
      return complexDivide(left, right);
    case "**":
      return complexPower(left, right);
    default:
      throw refuse();
  }
}

function complexDivide(left: Complex, right: Complex): Complex {
  const norm = right.re * right.re + right.im * right.im;
  if (right.re === 0 && right.im === 0) throw zeroDivision("complex division by zero");
  return new Complex((left.re * right.re + left.im * right.im) / norm, (left.im * right.re - left.re * right.im) / norm);
}

function complexPower(base: Complex, exponent: Complex): Complex {
  if (exponent.re === 0 && exponent.im === 0) return new Complex(1, 0);
  if (base.re === 0 && base.im === 0) {
    if (exponent.im !== 0 || exponent.re < 0) throw zeroDivision("0.0 to a negative or complex power");
    return new Complex(0, 0);
  }
  const angle = Math.atan2(base.im, base.re);
  const size = Math.hypot(base.re, base.im);
  const length = size ** exponent.re / Math.exp(angle * exponent.im);
  const turn = angle * exponent.re + exponent.im * Math.log(size);
  if (!Number.isFinite(length)) throw new PyError("OverflowError", "complex exponentiation");
  return new Complex(length * Math.cos(turn), length * Math.sin(turn));
}
