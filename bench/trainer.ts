// Trajectory tokens per second of an optimizer step on a CPU, beside TRL's GRPOTrainer and a padded batch in plain transformers: the same rows,
// the same weights, the same loss. The peers run in an environment of the benchmark's own.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { formatCount } from "#core/format.ts";
import { REPOSITORY, readSettings } from "../src/adapters/settings.ts";
import { dataFolder } from "../src/adapters/task-data/data-folder.ts";
import { CampaignError } from "../src/core/errors.ts";
import { readTauBenchAirline } from "../src/environments/tau/benchmarks/tau-bench.ts";
import { peerPython } from "./peer-environment.ts";
import { type BenchmarkOptions, type BenchmarkReport, type BenchmarkRow, describeDevice, rateRow } from "./report.ts";

interface Sizes {
  readonly numTasks: number;
  /** Longer trajectories are cut, so that the padded batches fit in memory. */
  readonly maxTokens: number;
}

interface Figures {
  readonly seconds: number;
  readonly tokens: number;
  readonly peakMib: number;
  /** Loss of every step, where the program tells it. */
  readonly losses?: readonly number[];
}

type Peer = Figures & { readonly name: string };

/** The four trials of each of the tasks are one optimizer step. The first step warms up, the second is measured. */
const FULL: Sizes = { numTasks: 2, maxTokens: 6144 };
/** Policy and tools alone are about 3,150 tokens. */
const QUICK: Sizes = { numTasks: 1, maxTokens: 4096 };
const TRIALS = 4;
const THREADS = Math.min(2, cpus().length);
const TOLERANCE = 1e-4;

export async function run({ isQuick }: BenchmarkOptions): Promise<BenchmarkReport> {
  const sizes = isQuick ? QUICK : FULL;
  const folder = await mkdtemp(join(tmpdir(), "turnwise-bench-"));
  try {
    const shape = await writeRows(folder, sizes);
    const rowsPerStep = sizes.numTasks * TRIALS;
    const ours = { tree: await measureOurs(folder, "tree", rowsPerStep), loop: await measureOurs(folder, "loop", rowsPerStep) };
    const peers = [
      await measurePeer(folder, "trl", rowsPerStep, TRIALS),
      await measurePeer(folder, "trl", rowsPerStep, 1),
      await measurePeer(folder, "plain", rowsPerStep, TRIALS),
    ];
    for (const other of [ours.loop, ...peers]) requireSameLoss(ours.tree, other);
    return {
      benchmark: "trainer",
      device: `${describeDevice()}, ${THREADS} threads on both sides; ${shape}`,
      rows: Object.entries(ours).flatMap(([layout, figures]) => peers.flatMap((peer) => compare(layout, figures, peer))),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Model and batch file, from the published trajectories. Returns what they are in words. */
async function writeRows(folder: string, { numTasks, maxTokens }: Sizes): Promise<string> {
  const { tauBench } = readSettings();
  if (tauBench === null) {
    throw new CampaignError("environment.data-missing", "this benchmark trains on tau-bench's published trajectories", {
      next: "set TURNWISE_TAU_BENCH",
    });
  }
  const { environment } = await readTauBenchAirline(dataFolder(tauBench));
  await writeFile(join(folder, "tools.json"), JSON.stringify(environment.tools));
  const trajectories = join(tauBench, "trajectories", "gpt-4o-airline.json");
  const written = await runOurs("trainer_rows.py", [folder, trajectories, join(folder, "tools.json"), String(numTasks), String(maxTokens)]);
  const { numRows, numTokens, longest } = JSON.parse(written) as Record<"numRows" | "numTokens" | "longest", number>;
  return `5.8M Qwen3, ${numRows} trajectories of ${formatCount(numTokens)} tokens, the longest ${formatCount(longest)}`;
}

async function measureOurs(folder: string, layout: string, rowsPerStep: number): Promise<Figures> {
  return JSON.parse(await runOurs("trainer_ours.py", [folder, layout, String(THREADS), String(rowsPerStep), "1"])) as Figures;
}

async function runOurs(script: string, options: readonly string[]): Promise<string> {
  const { stdout } = await execa(readSettings().python, [peerScript(script), ...options], {
    env: { PYTHONPATH: join(REPOSITORY, "trainer", "src") },
  });
  return stdout;
}

async function measurePeer(folder: string, kind: "trl" | "plain", rowsPerStep: number, rowsPerBatch: number): Promise<Peer> {
  const options = [folder, kind, THREADS, rowsPerStep, 1, rowsPerBatch].map(String);
  const { stdout } = await execa(await peerPython("trainer"), [peerScript("trainer_trl.py"), ...options]);
  const { versions, ...figures } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Figures & { versions: string };
  return { ...figures, name: `${versions}, ${rowsPerBatch === 1 ? "one row" : `${rowsPerBatch} rows`} per batch, same run` };
}

const peerScript = (name: string) => fileURLToPath(new URL(`peers/${name}`, import.meta.url));

/** What is compared must be the same training. */
function requireSameLoss(ours: Figures, other: Figures): void {
  for (const [step, loss] of (other.losses ?? []).entries()) {
    const difference = Math.abs(loss - (ours.losses?.[step] ?? Number.NaN));
    if (!(difference <= TOLERANCE)) throw new Error(`the losses of step ${step} differ by ${difference}`);
  }
}

function compare(layout: string, ours: Figures, peer: Peer): BenchmarkRow[] {
  const speed = rateRow(`${layout}: trajectory tokens`, "tokens/s", ours.tokens / ours.seconds, {
    value: peer.tokens / peer.seconds,
    name: peer.name,
  });
  const memory = rateRow(`${layout}: peak memory`, "MiB", ours.peakMib, { value: peer.peakMib, name: peer.name });
  return [speed, { ...memory, ratio: peer.peakMib / ours.peakMib }];
}
