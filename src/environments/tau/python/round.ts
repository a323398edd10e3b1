// Python's round(value, 2).
import { PyFloat, type PyValue } from "./values.ts";

/** `round(value, 2)` of an int or float: an int stays what it is. */
export function roundValue(value: PyValue): PyValue {
  return value instanceof PyFloat ? new PyFloat(roundToCents(value.value)) : value;
}

/** `round(value, 2)`: to the nearest on the exact binary value, ties to the even digit. */
export function roundToCents(value: number): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 52 || value === 0) return value;
  const eighths = value * 8;
  const isTie = Number.isInteger(eighths) && eighths % 2 !== 0;
  return isTie ? roundTie(value) : Number(value.toFixed(2));
}

/** Of an odd number of eighths; its fraction is .125, .375, .625 or .875. */
function roundTie(value: number): number {
  const whole = Math.trunc(value);
  const below = Math.floor(Math.abs(value - whole) * 100);
  const cents = below % 2 === 0 ? below : below + 1;
  return Number(`${value < 0 ? "-" : ""}${Math.abs(whole)}.${cents}`);
}
