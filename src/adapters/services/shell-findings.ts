// What of the shell, and of a person's settings for other programs, Turnwise does not take. Names only: values may be keys.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ignoredVariables, proxyVariables } from "../../../infra/setup/shell.mjs";
import type { Finding } from "./finding.ts";

const about = (state: Finding["state"], part: string, detail: string, place: string | null = null): Finding => ({
  part,
  version: null,
  place,
  state,
  detail,
  remedy: null,
});

/** One finding per variable and file. */
export function shellFindings(environment: NodeJS.ProcessEnv): Finding[] {
  return [
    ...ignoredVariables(environment).map(({ name, settings }) => about("ignored", name, settings)),
    ...temporalFiles(environment).map((path) => about("ignored", "temporal settings", "another Temporal server's settings", path)),
    ...proxyVariables(environment).map((name) => about("ok", name, "for other machines only; programs on this one are reached without it")),
  ];
}

/** Where the Temporal CLI would look by itself. */
function temporalFiles(environment: NodeJS.ProcessEnv): string[] {
  const home = environment["HOME"] || homedir();
  const folders = [
    join(home, ".config"),
    join(home, "Library", "Application Support"),
    environment["XDG_CONFIG_HOME"] || join(home, ".config"),
  ];
  const paths = folders.flatMap((folder) => ["temporal.toml", "temporal.yaml"].map((file) => join(folder, "temporalio", file)));
  return [...new Set(paths)].filter((path) => existsSync(path));
}
