// A benchmark tool, and how Python binds a call's arguments to it.
import type { Draft } from "./database.ts";
import { type PyDict, PyError, type PyValue } from "./python/values.ts";

export interface Tool {
  readonly name: string;
  /** How the original's function is called in exception texts, e.g. "Think.invoke()". */
  readonly callName: string;
  readonly parameters: readonly string[];
  /** Argument names that the original's caller uses itself, with the exception text for a model that uses them too. */
  readonly reserved: ReadonlyMap<string, string>;
  readonly isWrite: boolean;
  /**
   * Runs the tool on a draft with one value per parameter. Returns the observation, or null where the original returns None.
   * Throws PyError where the original raises; what it wrote before stays in the draft.
   */
  readonly run: (draft: Draft, ...values: PyValue[]) => string | null;
}

/** The call `tool(**kwargs)`: values in the order of the parameters. Throws TypeError with CPython's words. */
export function bindArguments(tool: Tool, kwargs: PyDict): readonly PyValue[] {
  const { parameters } = tool;
  const values: PyValue[] = [];
  for (const name of parameters) {
    const value = kwargs.get(name);
    if (value !== undefined) values.push(value);
  }
  if (values.length !== parameters.length || kwargs.size !== parameters.length) throw bindingError(tool, kwargs);
  return values;
}

function bindingError({ callName, parameters, reserved }: Tool, kwargs: PyDict): PyError {
  refuseReserved(reserved, kwargs);
  const unexpected = kwargs.keys().find((name) => !parameters.includes(name));
  if (unexpected !== undefined) return new PyError("TypeError", `${callName} got an unexpected keyword argument '${unexpected}'`);
  const missing = parameters.filter((name) => !kwargs.has(name)).map((name) => `'${name}'`);
  const plural = missing.length === 1 ? "" : "s";
  return new PyError("TypeError", `${callName} missing ${missing.length} required positional argument${plural}: ${enumerate(missing)}`);
}

/** Throws TypeError when an argument has a name that the caller of all tools uses itself. */
export function refuseReserved(reserved: Tool["reserved"], kwargs: PyDict): void {
  for (const [name, message] of reserved) {
    if (kwargs.has(name)) throw new PyError("TypeError", message);
  }
}

/** 'a' / 'a' and 'b' / 'a', 'b', and 'c' */
function enumerate(names: readonly string[]): string {
  if (names.length < 3) return names.join(" and ");
  return `${names.slice(0, -1).join(", ")}, and ${names.at(-1)}`;
}
