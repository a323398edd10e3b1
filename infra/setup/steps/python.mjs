// The Python environment: uv makes it from the hashed lock and removes whatever the lock does not name.
//
// torch is the one exception to the hashes. The lock's torch is the package index's default build (on Linux the CUDA one, 4.5 GB).
// Without an NVIDIA GPU, and where PyTorch's own index answers, the CPU build of the same version is taken instead: that index has
// its own wheels, so it is held by version and TLS, not by a hash in our lock. TURNWISE_TORCH=default keeps to the lock.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readJson } from "../files.mjs";
import * as places from "../places.mjs";
import { run } from "../processes.mjs";
import { withoutTorch } from "../python/lock.mjs";
import { makeLocked, must, syncLock, whyMissing } from "../python/locked-environment.mjs";
import { cpuTorchAnswers, findUv, uvEnvironment } from "../python/uv.mjs";
import { SetupError } from "../step.mjs";

const LOCK = join(places.REPOSITORY, "trainer", "requirements.lock");
const STAMP = join(places.STAMPS, "python.json");
const ENVIRONMENT = { name: "Python environment", folder: places.PYTHON, lock: LOCK, stamp: STAMP };

/** @type {import("../step.mjs").Step} */
export const pythonStep = {
  name: "python",
  missing() {
    const wanted = places.variable("TURNWISE_TORCH");
    const torch = readJson(STAMP)?.torch;
    const isOther = wanted !== undefined && torch !== undefined && wanted !== torch;
    return whyMissing(ENVIRONMENT) ?? (isOther ? `torch is the ${torch} build` : null);
  },
  async make(say) {
    const uv = await findUv(say);
    const torch = await torchBuild(uv, say);
    const count = await makeLocked(ENVIRONMENT, uv, () => install(uv, torch, say), say, { torch });
    return `${count} Python packages, torch ${torch === "cpu" ? "for the CPU" : "in its default build"}`;
  },
};

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
  if (torch === "default") return syncLock(uv, places.PYTHON, LOCK, say);
  const rest = join(places.TOOLS, "requirements-without-torch.lock");
  writeFileSync(rest, withoutTorch(readFileSync(LOCK, "utf8")));
  await syncLock(uv, places.PYTHON, rest, say);
  const cpu = ["pip", "install", "--no-deps", "--torch-backend", "cpu", "--python", places.PYTHON_BINARY, `torch==${torchVersion()}`];
  must(await run(uv, cpu, { env: uvEnvironment(), onLine: say }));
}
