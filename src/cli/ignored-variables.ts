// One line, where services start, on what of the shell they are not given.
import { shellVariables } from "#application/settings.ts";
import { ignoredVariables } from "../../infra/setup/shell.mjs";
import { errorStyle } from "./style.ts";

/** Says on standard error which variables were meant for other programs; nothing where there are none. */
export function sayIgnored(environment: NodeJS.ProcessEnv = shellVariables()): void {
  const names = ignoredVariables(environment).flatMap(({ name, of }) => (of === "stack" ? [name] : []));
  if (names.length > 0) console.error(errorStyle.dim(`not taken from this shell: ${names.join(", ")} (turnwise doctor says why)`));
}
