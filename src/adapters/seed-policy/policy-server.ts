// A policy server of our own for one model directory, on a free port, for as long as a measurement takes.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { CampaignError } from "#core/errors.ts";
import { pythonEnvironment } from "../../../infra/setup/python/our-python.mjs";
import { type ProcessGroup, startGroup } from "../trainer-process/process-group.ts";

const START_TIMEOUT_MS = 120_000;
const LOOK_EVERY_MS = 100;
const Ready = z.object({ event: z.literal("ready"), port: z.int() });

export interface ServerOptions {
  readonly python: string;
  readonly modelDirectory: string;
  /** What requests call the model. */
  readonly name: string;
  /** Folder of the log file. */
  readonly logDirectory: string;
  readonly threads: number;
  readonly slots: number;
}

/** Runs `use` with the address of the server, e.g. http://127.0.0.1:41327/v1, and ends the server after it. Throws service.start-failed. */
export async function withPolicyServer<Result>(options: ServerOptions, use: (baseUrl: string) => Promise<Result>): Promise<Result> {
  const logPath = join(options.logDirectory, `serve-${process.pid}-${Date.now()}.log`);
  const group = await startGroup(argumentsOf(options), {
    env: pythonEnvironment({ KMP_BLOCKTIME: "0" }),
    logPath,
  });
  try {
    return await use(`http://127.0.0.1:${await readyPort(group, logPath)}/v1`);
  } finally {
    group.kill("SIGTERM");
    await Promise.race([group.exit, delay(5_000).then(() => group.kill("SIGKILL"))]);
  }
}

function argumentsOf({ python, modelDirectory, name, logDirectory, threads, slots }: ServerOptions): [string, ...string[]] {
  return [
    python,
    "-m",
    "policy_server",
    "--port",
    "0",
    "--policy-root",
    logDirectory,
    "--preload",
    `${name}=${modelDirectory}`,
    "--threads",
    String(threads),
    "--slots",
    String(slots),
    "--die-with-parent",
  ];
}

async function readyPort(group: ProcessGroup, logPath: string): Promise<number> {
  let hasEnded = false;
  void group.exit.then(() => (hasEnded = true));
  for (let waited = 0; waited < START_TIMEOUT_MS && !hasEnded; waited += LOOK_EVERY_MS) {
    const line = readFileSync(logPath, "utf8")
      .split("\n")
      .find((candidate) => candidate.startsWith('{"event"'));
    if (line !== undefined) return Ready.parse(JSON.parse(line)).port;
    await delay(LOOK_EVERY_MS);
  }
  throw new CampaignError("service.start-failed", `the policy server did not start: ${group.lastLines(3).join(" | ")}`, {
    next: `read ${logPath}`,
  });
}
