// What writing a model's weights takes beside the weights: ours, tensor by tensor, beside safetensors' own save_file and its save.
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY, readSettings } from "#adapters/settings.ts";
import { CampaignError } from "#core/errors.ts";
import { pythonEnvironment } from "../infra/setup/python/our-python.mjs";
import { type BenchmarkOptions, type BenchmarkReport, type BenchmarkRow, describeDevice } from "./report.ts";

interface Measured {
  readonly writer: "stream" | "save_file" | "save";
  readonly weightsMb: number;
  readonly aboveMb: number;
  readonly seconds: number;
  readonly sha256: string;
}

/** 512 MiB of float32 weights, 64 when quick. */
export function run({ isQuick }: BenchmarkOptions): Promise<BenchmarkReport> {
  const script = join(REPOSITORY, "bench", "peers", "export_memory.py");
  const output = execFileSync(readSettings().python, [script, isQuick ? "64" : "512", tmpdir()], {
    env: pythonEnvironment(),
    encoding: "utf8",
  });
  const measured = output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Measured);
  const [ours, ...peers] = measured;
  if (ours === undefined || peers.some(({ sha256 }) => sha256 !== ours.sha256))
    throw new CampaignError("contract.invalid", "the writers do not write the same bytes");
  return Promise.resolve({ benchmark: "export", device: describeDevice(), rows: peers.map((peer) => memoryRow(ours, peer)) });
}

/** Less is better; no ratio to a peer that needs next to nothing. */
function memoryRow(ours: Measured, peer: Measured): BenchmarkRow {
  return {
    case: `memory above ${ours.weightsMb} MiB of weights`,
    unit: "MiB",
    ours: ours.aboveMb,
    peer: peer.aboveMb,
    peerName: `safetensors.torch.${peer.writer}${peer.writer === "save" ? ", as in 0.1.0" : ""}`,
    ratio: peer.aboveMb < 1 ? null : peer.aboveMb / Math.max(ours.aboveMb, 0.1),
  };
}
