// uv: the one on PATH where it is new enough, else a private copy that pip installs from a hashed lock.
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as places from "../places.mjs";
import { lastLines, run } from "../processes.mjs";
import { childEnvironment } from "../shell.mjs";
import { SetupError } from "../step.mjs";
import { findPython } from "./interpreter.mjs";

const LOCK = join(places.REPOSITORY, "infra", "setup", "uv.lock.txt");

/** @param {(what: string) => void} say @returns {Promise<string>} the command */
export async function findUv(say) {
  const own = join(places.LOCAL_UV, "bin", "uv");
  for (const command of ["uv", own]) {
    const answer = await run(command, ["--version"], { timeoutSeconds: 20 });
    if (answer.code === 0 && places.atLeast(places.versionIn(answer.answer), places.MINIMUM_UV)) return command;
  }
  say("installing uv with pip");
  const python = await findPython();
  rmSync(places.LOCAL_UV, { recursive: true, force: true });
  const tried = [];
  for (const [name, attempt] of /** @type {const} */ ([
    ["a virtual environment", intoEnvironment],
    ["a folder", intoFolder],
  ])) {
    const result = await attempt(python.path);
    if (result.code === 0 && existsSync(own)) return own;
    tried.push(`pip into ${name} ended with ${result.code}:\n${lastLines(result.output)}`);
  }
  throw new SetupError("could not install uv", { tried, next: "install uv yourself so that it is on PATH, then run npm run setup again" });
}

/** Over what a pip.conf may say of where packages go. */
const pipEnvironment = () => childEnvironment({ PIP_USER: "0", PIP_REQUIRE_VIRTUALENV: "0" });
const PIP_INSTALL = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", LOCK];

/** @param {string} python */
async function intoEnvironment(python) {
  const made = await run(python, ["-m", "venv", places.LOCAL_UV]);
  return made.code === 0 ? run(join(places.LOCAL_UV, "bin", "python"), PIP_INSTALL, { env: pipEnvironment() }) : made;
}

/** Some systems ship Python without ensurepip, so `venv` fails while pip itself is there. @param {string} python */
async function intoFolder(python) {
  rmSync(places.LOCAL_UV, { recursive: true, force: true });
  mkdirSync(places.TOOLS, { recursive: true });
  const temporary = `${places.LOCAL_UV}.${process.pid}.tmp`;
  const result = await run(python, [...PIP_INSTALL, "--target", temporary], { env: pipEnvironment() });
  if (result.code === 0) renameSync(temporary, places.LOCAL_UV);
  rmSync(temporary, { recursive: true, force: true });
  return result;
}

/** pip's own setting for the index also serves uv. @returns {NodeJS.ProcessEnv} */
export function uvEnvironment() {
  const index = places.variable("UV_DEFAULT_INDEX") ?? places.variable("UV_INDEX_URL") ?? places.variable("PIP_INDEX_URL");
  return childEnvironment({ ...(index === undefined ? {} : { UV_DEFAULT_INDEX: index }), UV_NO_PROGRESS: "1" });
}

/** Whether PyTorch's own index answers and has this version's CPU build. Seconds at most. @param {string} uv @param {string} version */
export async function cpuTorchAnswers(uv, version) {
  const ask = [
    "pip",
    "install",
    "--dry-run",
    "--no-deps",
    "--reinstall",
    "--torch-backend",
    "cpu",
    "--python",
    places.PYTHON_BINARY,
    `torch==${version}`,
  ];
  const env = { ...uvEnvironment(), UV_HTTP_TIMEOUT: "5", UV_HTTP_RETRIES: "0" };
  const answer = await run(uv, ask, { env, timeoutSeconds: 20 });
  return answer.code === 0 && answer.output.includes(`torch==${version}+cpu`);
}
