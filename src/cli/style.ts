// Colours are for a person at a terminal. A pipe or a file gets none, also where a CI system says that it could show them.
import pc from "picocolors";
import { shellVariables } from "#application/settings.ts";

/** Follows https://no-color.org and https://force-color.org; without either, a terminal that can show colours gets them. */
function isColoured(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = shellVariables();
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== "0";
  return stream.isTTY && TERM !== "dumb";
}

/** Styles of standard output. */
export const style = pc.createColors(isColoured(process.stdout));

/** Styles of standard error. */
export const errorStyle = pc.createColors(isColoured(process.stderr));
