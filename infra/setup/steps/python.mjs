// The Python environment: uv makes it from the hashed lock and removes whatever the lock does not name.
//
// torch is the one exception to the hashes. The lock's torch is the package index's default build (on Linux the CUDA one, 4.5 GB).
// Without an NVIDIA GPU, and where PyTorch's own index answers, the CPU build of the same version is taken instead: that index has
// its own wheels, so it is held by version and TLS, not by a hash in our lock. TURNWISE_TORCH=default keeps to the lock.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { changedFile, readJson, sha256, writeJson } from "../files.mjs";
import * as places from "../places.mjs";
import { lastLines, run } from "../processes.mjs";
import { damagedDistribution, installedDistributions, sitePackages, stampedSizes } from "../python/environment.mjs";
import { findPython } from "../python/interpreter.mjs";
import { withoutTorch } from "../python/lock.mjs";
import { cpuTorchAnswers, findUv, uvEnvironment } from "../python/uv.mjs";
import { SetupError } from "../step.mjs";

const LOCK = join(places.REPOSITORY, "trainer", "requirements.lock");
const STAMP = join(places.STAMPS, "python.json");

/** @type {import("../step.mjs").Step} */
export const pythonStep = {
  name: "python",
  missing() {
    if (!existsSync(places.PYTHON_BINARY)) return "there is no Python environment";
    const stamp = readJson(STAMP);
    if (stamp === null) return "the Python environment is unfinished";
    if (stamp.lock !== sha256(readFileSync(LOCK))) return "requirements.lock has changed";
    const wanted = places.variable("TURNWISE_TORCH");
    if (wanted !== undefined && wanted !== stamp.torch) return `torch is the ${stamp.torch} build`;
    const folder = sitePackages(places.PYTHON);
    if (folder === null) return "the Python environment has no packages";
    const there = new Set(installedDistributions(folder));
    const gone = stamp.distributions.find((/** @type {string} */ name) => !there.has(name));
    if (gone !== undefined) return `${gone} is gone`;
    const changed = changedFile(folder, stamp.files);
    return changed && `${changed} is damaged`;
  },
  async make(say) {
    rmSync(STAMP, { force: true });
    const uv = await findUv(say);
    await makeEnvironment(uv, say);
    const torch = await torchBuild(uv, say);
    await install(uv, torch, say);
    const folder = /** @type {string} */ (sitePackages(places.PYTHON));
    await repair(uv, torch, folder, say);
    const distributions = installedDistributions(folder);
    writeJson(STAMP, { lock: sha256(readFileSync(LOCK)), torch, distributions, files: stampedSizes(folder) });
    return `${distributions.length} Python packages, torch ${torch === "cpu" ? "for the CPU" : "in its default build"}`;
  },
};

/** Keeps a whole environment (uv then changes only what differs) and replaces a damaged or too old one. @param {string} uv @param {(what: string) => void} say */
async function makeEnvironment(uv, say) {
  const folder = sitePackages(places.PYTHON);
  if (existsSync(places.PYTHON_BINARY) && folder !== null && damagedDistribution(folder) === null) {
    const version = await run(places.PYTHON_BINARY, ["--version"], { timeoutSeconds: 20 });
    if (version.code === 0 && places.atLeast(places.versionIn(version.answer), places.MINIMUM_PYTHON)) return;
  }
  const python = await findPython();
  say(`Python environment with ${python.version}`);
  mkdirSync(places.TOOLS, { recursive: true });
  const made = await run(uv, ["venv", "--clear", "--python", python.path, places.PYTHON], { env: uvEnvironment(), onLine: say });
  if (made.code === 0) return;
  throw new SetupError("could not make a Python environment", {
    tried: [`uv venv with ${python.path} ended with ${made.code}:\n${lastLines(made.output)}`],
    next: "remove .turnwise/python, then run npm run setup again",
  });
}

/** @param {string} uv @param {(what: string) => void} say @returns {Promise<string>} "cpu" or "default" */
async function torchBuild(uv, say) {
  const wanted = places.variable("TURNWISE_TORCH");
  if (wanted === "cpu" || wanted === "default") return wanted;
  if (wanted !== undefined)
    throw new SetupError(`TURNWISE_TORCH is "${wanted}"`, {
      tried: [],
      next: "set it to cpu or default, or unset it, then run npm run setup again",
    });
  const hasGpu = existsSync("/dev/nvidiactl") || existsSync("/proc/driver/nvidia/version");
  // Elsewhere the default build is the CPU build.
  if (process.platform !== "linux" || hasGpu) return "default";
  say("asking PyTorch's index for its CPU build");
  return (await cpuTorchAnswers(uv, torchVersion())) ? "cpu" : "default";
}

function torchVersion() {
  return places.versionIn(/^torch==\S+/m.exec(readFileSync(LOCK, "utf8"))?.[0] ?? "").join(".");
}

/** @param {string} uv @param {string} torch @param {(what: string) => void} say */
async function install(uv, torch, say) {
  const options = { env: uvEnvironment(), onLine: say };
  const target = ["--python", places.PYTHON_BINARY];
  if (torch === "default") return must(await run(uv, ["pip", "sync", "--require-hashes", ...target, LOCK], options));
  const rest = join(places.TOOLS, "requirements-without-torch.lock");
  writeFileSync(rest, withoutTorch(readFileSync(LOCK, "utf8")));
  must(await run(uv, ["pip", "sync", "--require-hashes", ...target, rest], options));
  must(await run(uv, ["pip", "install", "--no-deps", "--torch-backend", "cpu", ...target, `torch==${torchVersion()}`], options));
}

/**
 * uv links files from its cache, so a file that was cut short there is cut short here: those packages are fetched anew.
 *
 * @param {string} uv @param {string} torch @param {string} folder @param {(what: string) => void} say
 */
async function repair(uv, torch, folder, say) {
  const repaired = new Set();
  for (let damaged = damagedDistribution(folder); damaged !== null; damaged = damagedDistribution(folder)) {
    const name = /** @type {string} */ (damaged.split("-")[0]);
    if (repaired.has(name)) {
      throw new SetupError(`${name} is damaged right after its installation`, {
        tried: [`uv cache clean ${name}, then installing it again`],
        next: "check the free disk space, then run npm run setup again",
      });
    }
    repaired.add(name);
    say(`${name} is damaged: fetching it anew`);
    await run(uv, ["cache", "clean", name.replaceAll("_", "-")], { env: uvEnvironment() });
    rmSync(join(folder, damaged), { recursive: true, force: true });
    await install(uv, torch, say);
  }
}

/** @param {{ code: number | null, output: string }} result */
function must(result) {
  if (result.code === 0) return;
  throw new SetupError("could not install the Python packages", {
    tried: [`uv pip ended with ${result.code}:\n${lastLines(result.output)}`],
    next: "check that the package index answers and that 6 GB are free, then run npm run setup again: what is already fetched is kept",
  });
}
