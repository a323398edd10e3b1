import type { Draft } from "../../database.ts";
import { PyError, type PyValue } from "../../python/values.ts";
import type { Tool } from "../../tool.ts";

const MAKE_TOOL_CALL = "Environment.make_tool_call() got multiple values for";

/** Names that tau2-bench's own call already uses. */
export const RESERVED_ARGUMENTS: ReadonlyMap<string, string> = new Map([
  ["requestor", `tau2.environment.environment.${MAKE_TOOL_CALL} keyword argument 'requestor'`],
  ["self", `${MAKE_TOOL_CALL} argument 'self'`],
  ["tool_name", `${MAKE_TOOL_CALL} argument 'tool_name'`],
]);

/** A tool of tau2-bench's airline: a method of its class AirlineTools. */
export function tau2Tool(
  name: string,
  parameters: readonly string[],
  run: (draft: Draft, ...values: PyValue[]) => string,
  options: { readonly isWrite: boolean } = { isWrite: false },
): Tool {
  return { name, callName: `AirlineTools.${name}()`, parameters, reserved: RESERVED_ARGUMENTS, run, ...options };
}

export const valueError = (message: string) => new PyError("ValueError", message);
