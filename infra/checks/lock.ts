// `npm run lock`: makes the lock files complete. package-lock.json gets the platforms that the registry at hand does not carry;
// requirements.lock (of the trainer, and of the example's OpenEnv server) is made from the requirements.in beside it, for every platform and
// Python from 3.11 on, with hashes and without host names.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../setup/places.mjs";
import { findUv, uvEnvironment } from "../setup/python/uv.mjs";
import { runShown, TRAINER } from "./commands.ts";
import { completePackageLock, type PackageLock } from "./complete-package-lock.ts";

const packageLock = join(REPOSITORY, "package-lock.json");
const lock = JSON.parse(readFileSync(packageLock, "utf8")) as PackageLock;
writeFileSync(packageLock, `${JSON.stringify(completePackageLock(lock), null, 2)}\n`);

const options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--quiet", "--custom-compile-command", "npm run lock"];
const command = await findUv(() => {});
const compile = (folder: string, ...more: readonly string[]) =>
  runShown(
    {
      name: "uv",
      command,
      args: ["pip", "compile", ...options, ...more, ...process.argv.slice(2), "requirements.in", "-o", "requirements.lock"],
      folder,
    },
    uvEnvironment(),
  );
const codes = [await compile(TRAINER), await compile(join("examples", "openenv"), "--override", "overrides.txt")];
process.exitCode = Math.max(...codes);
