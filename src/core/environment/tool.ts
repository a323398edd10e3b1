// A benchmark tool, and how Python binds a call's arguments to it.
import type { Draft } from "./database.ts";
import { PyError, type PyDict, type PyValue } from "./python/values.ts";

export interface Tool {
  readonly name: string;
  /** Class and module of the original: both occur in its exception texts. */
  readonly className: string;
  readonly module: string;
  readonly parameters: readonly string[];
  readonly isWrite: boolean;
  /**
   * Runs the tool on a draft with one value per parameter. Returns the observation, or null where the original returns None.
   * Throws PyError where the original raises; what it wrote before stays in the draft.
   */
  readonly run: (draft: Draft, ...values: PyValue[]) => string | null;
}

/** `Tool.invoke(data=data, **kwargs)`: values in the order of the parameters. Throws TypeError with CPython's words. */
export function bindArguments(tool: Tool, kwargs: PyDict): PyValue[] {
  const call = `${tool.className}.invoke()`;
  if (kwargs.has("data")) throw new PyError("TypeError", `${tool.module}.${call} got multiple values for keyword argument 'data'`);
  for (const name of kwargs.keys()) {
    if (!tool.parameters.includes(name)) throw new PyError("TypeError", `${call} got an unexpected keyword argument '${name}'`);
  }
  const missing = tool.parameters.filter((name) => !kwargs.has(name)).map((name) => `'${name}'`);
  if (missing.length > 0) {
    const plural = missing.length === 1 ? "" : "s";
    throw new PyError("TypeError", `${call} missing ${missing.length} required positional argument${plural}: ${enumerate(missing)}`);
  }
  return tool.parameters.map((name) => kwargs.get(name) ?? null);
}

/** 'a' / 'a' and 'b' / 'a', 'b', and 'c' */
function enumerate(names: readonly string[]): string {
  if (names.length < 3) return names.join(" and ");
  return `${names.slice(0, -1).join(", ")}, and ${names.at(-1)}`;
}
