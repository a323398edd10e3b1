// Where the state of this installation lies.
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** The state folder: TURNWISE_HOME, else .turnwise in the checkout. */
export function homeFolder(): string {
  return resolve(process.env["TURNWISE_HOME"] ?? join(REPOSITORY, ".turnwise"));
}

/** The record's folder. */
export function recordFolder(): string {
  return join(homeFolder(), "record");
}
