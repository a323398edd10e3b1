import type { Draft } from "../../database.ts";
import type { PyValue } from "../../python/values.ts";
import type { Tool } from "../../tool.ts";

/** A tool of tau-bench's airline domain; class and module follow from the name, as they do there. */
export function airlineTool(
  name: string,
  parameters: readonly string[],
  run: (draft: Draft, ...values: PyValue[]) => string | null,
  options: { readonly isWrite: boolean } = { isWrite: false },
): Tool {
  return { name, className: pascalCase(name), module: `tau_bench.envs.airline.tools.${name}`, parameters, run, ...options };
}

const pascalCase = (name: string) =>
  name
    .split("_")
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("");
