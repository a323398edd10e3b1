// Validation as pydantic 2.13 does it in its lax mode, with its error texts; only the types that the airline's models have.
import { repr } from "../python/format.ts";
import { dict, isDict, isInt, isList, PyDict, PyError, PyFloat, type PyValue, toInt, typeName } from "../python/values.ts";

interface Problem {
  readonly place: string;
  readonly message: string;
  readonly type: string;
  readonly input: PyValue;
}

/** The converted value; problems are collected, not thrown. */
export type Validate = (input: PyValue, place: string, problems: Problem[]) => PyValue;

/** A validator that accepts what `convert` gives a value for, and reports one problem otherwise. */
function accepting(convert: (input: PyValue) => PyValue | Pick<Problem, "message" | "type">): Validate {
  return (input, place, problems) => {
    const result = convert(input);
    if (!isProblem(result)) return result;
    problems.push({ place, input, ...result });
    return null;
  };
}

/** What a text is parsed for cannot hold half a surrogate pair; a text that is taken as it is can. */
function parsing(convert: (input: PyValue) => PyValue | Pick<Problem, "message" | "type">): Validate {
  return accepting((input) => (typeof input === "string" && !input.isWellFormed() ? NO_UNICODE : convert(input)));
}

const NO_UNICODE = { type: "string_unicode", message: "Input should be a valid string, unable to parse raw data as a unicode string" };

const isProblem = (result: PyValue | Pick<Problem, "message" | "type">): result is Pick<Problem, "message" | "type"> =>
  typeof result === "object" && result !== null && "message" in result;

export const anything: Validate = (input) => input;

export const text: Validate = accepting((input) =>
  typeof input === "string" ? input : { type: "string_type", message: "Input should be a valid string" },
);

export function literal(...options: readonly string[]): Validate {
  const names = options.map((option) => `'${option}'`);
  const wanted = names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
  return parsing((input) =>
    typeof input === "string" && options.includes(input) ? input : { type: "literal_error", message: `Input should be ${wanted}` },
  );
}

const TOO_BIG = { type: "int_parsing_size", message: "Unable to parse input string as an integer, exceeded maximum size" };
const MAX_DIGITS = 4300;
const NO_FIELDS = dict();

/** Ints, booleans, floats without a fraction, and texts of such numbers. */
export const integer: Validate = parsing((input) => {
  if (typeof input === "boolean") return Number(input);
  if (isInt(input)) return input;
  if (input instanceof PyFloat) return integerFromFloat(input.value);
  if (typeof input === "string") return integerFromText(trim(input));
  return { type: "int_type", message: "Input should be a valid integer" };
});

function integerFromFloat(value: number) {
  if (!Number.isFinite(value)) return { type: "finite_number", message: "Input should be a finite number" };
  if (!Number.isInteger(value))
    return { type: "int_from_float", message: "Input should be a valid integer, got a number with a fractional part" };
  return Math.abs(value) < 2 ** 63 ? toInt(BigInt(value)) : TOO_BIG;
}

function integerFromText(value: string) {
  const [, digits] = /^([+-]?\d+(?:_\d+)*)(?:\.0+)?$/.exec(value) ?? [];
  if (digits === undefined)
    return { type: "int_parsing", message: "Input should be a valid integer, unable to parse string as an integer" };
  return value.length > MAX_DIGITS ? TOO_BIG : toInt(BigInt(digits.replace(/^\+/, "").replaceAll("_", "")));
}

/** Numbers, booleans, and texts of numbers. */
export const float: Validate = parsing((input) => {
  if (typeof input === "boolean" || isInt(input)) return new PyFloat(Number(input));
  if (input instanceof PyFloat) return input;
  if (typeof input === "string") return floatFromText(trim(input));
  return { type: "float_type", message: "Input should be a valid number" };
});

function floatFromText(value: string) {
  const isJoined = value.startsWith("_") || value.endsWith("_") || value.includes("__");
  const plain = isJoined ? value : value.replaceAll("_", "");
  const [, sign, word] = /^([+-]?)(?:(inf|infinity)|nan)$/i.exec(plain) ?? [];
  if (sign !== undefined) return new PyFloat(word === undefined ? Number.NaN : sign === "-" ? -Infinity : Infinity);
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(plain)) return new PyFloat(Number(plain));
  return { type: "float_parsing", message: "Input should be a valid number, unable to parse string as a number" };
}

const trim = (value: string) => value.replace(/^(?:[^\S\ufeff]|\u0085)+|(?:[^\S\ufeff]|\u0085)+$/gu, "");

export function listOf(item: Validate): Validate {
  return (input, place, problems) => {
    if (isList(input)) return input.map((value, index) => item(value, join(place, index), problems));
    problems.push({ place, input, type: "list_type", message: "Input should be a valid list" });
    return [];
  };
}

export function dictOf(item: Validate): Validate {
  return (input, place, problems) => {
    if (isDict(input)) return PyDict.from(Array.from(input, ([key, value]) => [key, item(value, join(place, key), problems)]));
    problems.push({ place, input, type: "dict_type", message: "Input should be a valid dictionary" });
    return NO_FIELDS;
  };
}

const join = (place: string, part: string | number) => (place === "" ? String(part) : `${place}.${part}`);

export interface Model {
  readonly name: string;
  /** In the order of the dump. A field with a default is [validator, default]. */
  readonly fields: Readonly<Record<string, Validate | readonly [Validate, PyValue]>>;
}

/** A model as the type of a field: a dict or an instance, both PyDict here. Other keys are dropped. */
export function nested(model: Model): Validate {
  return (input, place, problems) => {
    if (isDict(input)) return validateFields(model, input, place, problems);
    problems.push({ place, input, type: "model_type", message: `Input should be a valid dictionary or instance of ${model.name}` });
    return NO_FIELDS;
  };
}

function validateFields(model: Model, input: PyDict, place: string, problems: Problem[]): PyDict {
  const values: [string, PyValue][] = [];
  for (const [key, field] of Object.entries(model.fields)) {
    const [validate, fallback] = typeof field === "function" ? [field, undefined] : field;
    const value = input.get(key);
    if (value !== undefined) values.push([key, validate(value, join(place, key), problems)]);
    else if (fallback !== undefined) values.push([key, fallback]);
    else problems.push({ place: join(place, key), input, type: "missing", message: "Field required" });
  }
  return dict(...values);
}

/** `Model(**fields)`. Throws PyError "ValidationError" that lists every problem. */
export function construct(model: Model, fields: PyDict): PyDict {
  const problems: Problem[] = [];
  const values = validateFields(model, fields, "", problems);
  if (problems.length === 0) return values;
  const count = `${problems.length} validation error${problems.length === 1 ? "" : "s"} for ${model.name}`;
  throw new PyError("ValidationError", [count, ...problems.map(describe)].join("\n"));
}

function describe({ place, message, type, input }: Problem): string {
  return `${place}\n  ${message} [type=${type}, input_value=${truncate(repr(input))}, input_type=${typeName(input)}]\n    For further information visit https://errors.pydantic.dev/2.13/v/${type}`;
}

const MAX_BYTES = 50;

/** At most 50 bytes of UTF-8: the first 25, dots, the last 24, whole characters only. */
function truncate(value: string): string {
  const characters = Array.from(value);
  const sizes = characters.map((character) => utf8Length(character.codePointAt(0) ?? 0));
  if (sizes.reduce((sum, size) => sum + size, 0) <= MAX_BYTES) return value;
  const head = characters.slice(0, fitting(sizes, MAX_BYTES / 2));
  const tail = characters.slice(characters.length - fitting(sizes.toReversed(), MAX_BYTES / 2 - 1));
  return `${head.join("")}...${tail.join("")}`;
}

/** How many leading items fit into `room`. */
function fitting(sizes: readonly number[], room: number): number {
  let used = 0;
  for (const [index, size] of sizes.entries()) {
    used += size;
    if (used > room) return index;
  }
  return sizes.length;
}

function utf8Length(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}
