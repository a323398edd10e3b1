// `npm run lock`: requirements.in to requirements.lock, for every platform and Python from 3.11 on, with hashes and without host names.
import { findUv, uvEnvironment } from "../setup/python/uv.mjs";
import { runShown, TRAINER } from "./commands.ts";

const options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--quiet", "--custom-compile-command", "npm run lock"];
process.exitCode = await runShown(
  {
    name: "uv",
    command: await findUv(() => {}),
    args: ["pip", "compile", ...options, ...process.argv.slice(2), "requirements.in", "-o", "requirements.lock"],
    folder: TRAINER,
  },
  uvEnvironment(),
);
