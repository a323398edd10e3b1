// What `turnwise doctor` knows: every part that Turnwise stands on, its version, where it is, and what to do when it is not well.

import { execFile } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { formatBytes } from "#core/format.ts";
import { readJson } from "../../../infra/setup/files.mjs";
import { missingSteps } from "../../../infra/setup/main.mjs";
import * as places from "../../../infra/setup/places.mjs";
import { damagedDistribution, installedDistributions, sitePackages } from "../../../infra/setup/python/environment.mjs";
import { childEnvironment } from "../../../infra/setup/shell.mjs";
import type { Settings } from "../settings.ts";
import type { Finding } from "./finding.ts";
import { listGpus } from "./gpus.ts";
import { isPortFree, portOwner, portsFromEnvironment } from "./ports.ts";
import { isAlive } from "./process-identity.ts";
import { shellFindings } from "./shell-findings.ts";
import { readState } from "./state.ts";

const SETUP = "npm run setup";
const LOW_DISK_BYTES = 3e9;
const run = promisify(execFile);

const ok = (part: string, version: string | null, place: string | null, detail: string | null = null): Finding => ({
  part,
  version,
  place,
  state: "ok",
  detail,
  remedy: null,
});

/** Looks at everything; seconds at most. Never throws: what cannot be seen is a finding. */
export async function diagnose(settings: Settings, environment: NodeJS.ProcessEnv): Promise<Finding[]> {
  const missing = await missingSteps();
  const gpu = await findGpu();
  return [
    stepFinding("node", missing, ok("node", process.versions.node, process.execPath)),
    stepFinding("packages", missing, ok("npm packages", `${countPackages()} packages`, join(places.REPOSITORY, "node_modules"))),
    ...pythonFindings(missing, gpu),
    await temporalFinding(missing),
    await goFinding(),
    gpu ?? {
      part: "GPU",
      version: null,
      place: null,
      state: "absent",
      detail: "none found: training and serving use the CPU; training.backend gpu cannot run here, fsdp only to try it out",
      remedy: null,
    },
    await diskFinding(settings.home),
    ...(await portFindings(settings.home, environment)),
    tauBenchFinding(settings.tauBench),
    ...shellFindings(environment),
  ];
}

/** A part that set-up is responsible for: its own finding, unless set-up finds something missing. */
function stepFinding(step: string, missing: ReadonlyMap<string, string>, finding: Finding): Finding {
  const why = missing.get(step);
  return why === undefined ? finding : { ...finding, version: null, state: "problem", detail: why, remedy: SETUP };
}

function countPackages(): number {
  return Object.keys(readJson(join(places.REPOSITORY, "node_modules", ".package-lock.json"))?.packages ?? {}).length;
}

function pythonFindings(missing: ReadonlyMap<string, string>, gpu: Finding | null): Finding[] {
  const folder = sitePackages(places.PYTHON);
  if (folder === null) return [stepFinding("python", missing, ok("python", null, places.PYTHON))];
  const version = /^version_info\s*=\s*(\S+)/m.exec(readFileSync(join(places.PYTHON, "pyvenv.cfg"), "utf8"))?.[1] ?? null;
  const damaged = damagedDistribution(folder);
  const python = stepFinding("python", missing, ok("python", version, places.PYTHON_BINARY));
  const isDamaged = python.state === "ok" && damaged !== null;
  return [
    isDamaged ? { ...python, state: "problem", detail: `${damaged} is damaged`, remedy: `rm -r ${places.PYTHON} && ${SETUP}` } : python,
    torchFinding(folder, gpu),
    ...["transformers", "mlflow"].map((name) => distributionFinding(folder, name)),
  ];
}

function versionOf(folder: string, name: string): string | null {
  const prefix = `${name}-`;
  const found = installedDistributions(folder).find((entry) => entry.startsWith(prefix));
  return found?.slice(prefix.length, -".dist-info".length) ?? null;
}

function distributionFinding(folder: string, name: string): Finding {
  const version = versionOf(folder, name);
  if (version !== null) return ok(name, version, join(folder, name));
  return { part: name, version: null, place: null, state: "problem", detail: "not installed", remedy: SETUP };
}

function torchFinding(folder: string, gpu: Finding | null): Finding {
  const finding = distributionFinding(folder, "torch");
  const build = readJson(join(places.STAMPS, "python.json"))?.torch === "cpu" ? "cpu" : "default";
  const detail = build === "cpu" ? "CPU build" : "default build";
  if (finding.state !== "ok") return finding;
  if (gpu === null || build === "default") return { ...finding, detail };
  return { ...finding, state: "warning", detail: `${detail} beside a GPU`, remedy: `TURNWISE_TORCH=default ${SETUP}` };
}

async function temporalFinding(missing: ReadonlyMap<string, string>): Promise<Finding> {
  const says = await firstLine(places.TEMPORAL_BINARY, ["--version"]);
  const place = existsSync(places.TEMPORAL_BINARY) ? realpathSync(places.TEMPORAL_BINARY) : places.TEMPORAL_BINARY;
  const source = readJson(join(places.STAMPS, "temporal.json"))?.source;
  const server = /Server [\d.]+/.exec(says ?? "")?.[0];
  return stepFinding(
    "temporal",
    missing,
    ok("temporal", `${places.TEMPORAL_VERSION} (${server ?? "does not run"})`, place, source ? `from ${source}` : null),
  );
}

async function goFinding(): Promise<Finding> {
  const says = await firstLine("go", ["version"]);
  if (says !== null) return ok("go", says.replace(/^go version go/, ""), null, "only needed to build the Temporal CLI");
  return { part: "go", version: null, place: null, state: "absent", detail: "only needed to build the Temporal CLI", remedy: null };
}

async function findGpu(): Promise<Finding | null> {
  const gpus = await listGpus();
  if (gpus[0] === undefined) return null;
  const count = gpus.length === 1 ? "one" : `${gpus.length}`;
  return ok("GPU", gpus[0], null, `${count}: training.backend gpu takes one, fsdp as many as training.numProcesses says`);
}

async function diskFinding(home: string): Promise<Finding> {
  const place = existsSync(home) ? home : dirname(home);
  const { bavail, bsize } = await statfs(existsSync(place) ? place : places.REPOSITORY);
  const free = bavail * bsize;
  const finding = ok("disk", `${formatBytes(free)} free`, place);
  if (free >= LOW_DISK_BYTES) return finding;
  return {
    ...finding,
    state: "warning",
    detail: "a campaign may not fit",
    remedy: "free some space, or set TURNWISE_HOME to a larger disk",
  };
}

async function portFindings(home: string, environment: NodeJS.ProcessEnv): Promise<Finding[]> {
  const state = readState(home);
  const isRunning = state !== null && isAlive(state.supervisor);
  const ports = isRunning ? Object.assign({}, ...state.services.map((service) => service.ports)) : portsFromEnvironment(environment);
  return Promise.all(
    Object.entries(ports as Record<string, number>).map(async ([use, port]) => {
      const finding = ok(`port ${use}`, String(port), null, isRunning ? "used by the running stack" : "free");
      if (isRunning || (await isPortFree(port))) return finding;
      const flag = `--${use.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}-port`;
      return {
        ...finding,
        state: "problem",
        detail: `taken by ${portOwner(port) ?? "another program"}`,
        remedy: `turnwise up ${flag} ${port + 1}`,
      } as const;
    }),
  );
}

function tauBenchFinding(folder: string | null): Finding {
  if (folder === null)
    return { part: "tau-bench", version: null, place: null, state: "absent", detail: "not needed for the built-in airline", remedy: null };
  if (existsSync(folder)) return ok("tau-bench", null, folder);
  return {
    part: "tau-bench",
    version: null,
    place: folder,
    state: "problem",
    detail: "the folder does not exist",
    remedy: "set TURNWISE_TAU_BENCH to the data folder, or unset it",
  };
}

async function firstLine(command: string, args: readonly string[]): Promise<string | null> {
  try {
    return (await run(command, args, { timeout: 10_000, env: childEnvironment() })).stdout.split("\n")[0]?.trim() ?? null;
  } catch {
    return null;
  }
}
