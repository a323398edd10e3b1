// What runs: recorded with every campaign and stage.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { childEnvironment } from "../../infra/setup/shell.mjs";
import { REPOSITORY } from "./settings.ts";

/** Package version and git commit, `+changed` when the work tree differs from it; the version alone outside a checkout. */
export async function codeVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(REPOSITORY, "package.json"), "utf8")) as { version: string };
  try {
    const options = { cwd: REPOSITORY, timeout: 5_000, env: childEnvironment(), extendEnv: false };
    // Unpacked somewhere inside another repository, it has that one's commit as little as that one's name.
    const { stdout: prefix } = await execa("git", ["rev-parse", "--show-prefix"], options);
    if (prefix !== "") return version;
    const { stdout: commit } = await execa("git", ["rev-parse", "--short=12", "HEAD"], options);
    const { stdout: changes } = await execa("git", ["status", "--porcelain", "--untracked-files=no"], options);
    return `${version}+${commit}${changes === "" ? "" : "+changed"}`;
  } catch {
    return version;
  }
}
