// The NVIDIA GPUs of this machine, as the driver tells of them.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { childEnvironment } from "../../../infra/setup/shell.mjs";

const run = promisify(execFile);
const QUERY = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"];

/** Name, memory and driver of each; empty where there is no driver. */
export async function listGpus(): Promise<string[]> {
  try {
    const { stdout } = await run("nvidia-smi", QUERY, { timeout: 10_000, env: childEnvironment() });
    return stdout.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
  } catch {
    return [];
  }
}

/** How many a process started from here would see: CUDA_VISIBLE_DEVICES hides the others. */
export async function countVisibleGpus(environment: NodeJS.ProcessEnv): Promise<number> {
  const gpus = await listGpus();
  const visible = environment.CUDA_VISIBLE_DEVICES;
  return visible === undefined ? gpus.length : Math.min(gpus.length, visible.split(",").filter((entry) => entry.trim() !== "").length);
}
