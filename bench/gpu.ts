// The trainer on one card: speed, share of the card's peak and memory at Qwen3-4B's shapes with random weights. Without a GPU it says so.
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { z } from "zod";
import { readSettings } from "../src/adapters/settings.ts";
import { CampaignError } from "../src/core/errors.ts";
import { type BenchmarkOptions, type BenchmarkReport, type BenchmarkRow, rateRow } from "./report.ts";

const SCRIPT = fileURLToPath(new URL("gpu/main.py", import.meta.url));
const TRAINER = fileURLToPath(new URL("../trainer/src", import.meta.url));

const Measured = z.object({
  case: z.string(),
  what: z.string(),
  device: z.string(),
  tokensPerSecond: z.number(),
  actionTokensPerSecond: z.number(),
  trajectoriesPerSecond: z.number(),
  peakMemoryGib: z.number(),
  mfuPublished: z.number().nullable(),
  mfuNeeded: z.number().nullable(),
});
const Failed = z.object({ case: z.string(), what: z.string(), error: z.string() });
type Measured = z.infer<typeof Measured>;

/** Quick: toy shapes on the CPU, which shows that the script works and nothing else. */
export async function run({ isQuick }: BenchmarkOptions): Promise<BenchmarkReport> {
  const options = isQuick ? ["--device", "cpu", "--tiny"] : [];
  const env = { PYTHONPATH: TRAINER, KMP_BLOCKTIME: "0" };
  const ended = await execa(readSettings().python, [SCRIPT, ...options], { env, reject: false });
  const lines = ended.stdout.split("\n").filter((line) => line !== "");
  if (lines.length === 0) throw failure(ended.stderr.trim().split("\n").at(-1) ?? "no result");
  const found = lines.map((line) => z.union([Measured, Failed]).parse(JSON.parse(line)));
  for (const one of found) if ("error" in one) console.error(`${one.case}: ${one.error}`);
  const measured = found.filter((one) => "device" in one);
  return {
    benchmark: "gpu",
    device: `${measured[0]?.device ?? "none"}${isQuick ? ", toy shapes" : ""}`,
    rows: [...measured.flatMap(rowsOf), ...sharing(measured)],
  };
}

function failure(message: string): CampaignError {
  return new CampaignError("config.unreachable", message.replace(/^error: /, ""), {
    next: "run it on a machine with a GPU, or with --quick",
  });
}

function rowsOf(one: Measured): BenchmarkRow[] {
  const row = (unit: string, value: number | null) => (value === null ? [] : [rateRow(one.what, unit, value, null)]);
  const percent = (share: number | null) => (share === null ? null : 100 * share);
  return [
    ...row("tokens/s", one.tokensPerSecond),
    ...row("agent tokens/s", one.actionTokensPerSecond),
    ...row("% of peak, counted as published", percent(one.mfuPublished)),
    ...row("% of peak, needed work only", percent(one.mfuNeeded)),
    ...row("GiB at most", one.peakMemoryGib),
  ];
}

/** The same trajectories with and without their prefix computed once, side by side. */
function sharing(measured: readonly Measured[]): BenchmarkRow[] {
  const [apart, tree] = ["group-packed", "group-tree"].map((name) => measured.find((one) => one.case === name));
  if (apart === undefined || tree === undefined) return [];
  const peer = { value: apart.trajectoriesPerSecond, name: "the same trainer without prefix sharing" };
  return [rateRow("prefix sharing", "trajectories/s", tree.trajectoriesPerSecond, peer)];
}
