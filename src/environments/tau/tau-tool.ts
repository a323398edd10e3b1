// Tools of tau-bench's domains: class and module follow from domain and name, as they do there.
import { calculate } from "./calculate/calculate.ts";
import type { Draft } from "./database.ts";
import type { PyValue } from "./python/values.ts";
import type { Tool } from "./tool.ts";

export type ToolMaker = (
  name: string,
  parameters: readonly string[],
  run: (draft: Draft, ...values: PyValue[]) => string | null,
  options?: { readonly isWrite: boolean },
) => Tool;

export function toolsOf(domain: "airline" | "retail"): ToolMaker {
  return (name, parameters, run, options = { isWrite: false }) => {
    const callName = `${pascalCase(name)}.invoke()`;
    const clash = `tau_bench.envs.${domain}.tools.${name}.${callName} got multiple values for keyword argument 'data'`;
    return { name, callName, parameters, reserved: new Map([["data", clash]]), run, ...options };
  };
}

const pascalCase = (name: string) =>
  name
    .split("_")
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("");

/** The tools that both domains have. */
export function commonTools(tool: ToolMaker) {
  return {
    calculate: tool("calculate", ["expression"], (_draft, expression = null) => calculate(expression)),
    think: tool("think", ["thought"], () => ""),
    transferToHumanAgents: tool("transfer_to_human_agents", ["summary"], () => "Transfer successful", { isWrite: true }),
  };
}
