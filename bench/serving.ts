// Tokens per second of `python -m policy_server`, over HTTP, on conversations that share their prefix and grow turn by turn; beside it
// transformers' generate in static batches of 16, in an environment of the benchmark's own, on the same model and the same lengths.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type OpenAI from "openai";
import { createInferenceClient } from "../src/adapters/inference/client.ts";
import { REPOSITORY, readSettings } from "../src/adapters/settings.ts";
import { peerPython } from "./peer-environment.ts";
import { type BenchmarkOptions, type BenchmarkReport, type BenchmarkRow, describeDevice, rateRow } from "./report.ts";
import { startServer } from "./serving-server.ts";

interface Sizes {
  readonly numConversations: number;
  readonly numTurns: number;
  readonly prefixLength: number;
  readonly newTokens: number;
}

interface Workload {
  readonly prefix: number[];
  /** By conversation and turn: what comes before the agent's turn. */
  readonly conversations: number[][][];
}

/** What a side took for the whole workload. */
interface Figures {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly numTokens: number;
  readonly peakBytes: number;
}

const FULL: Sizes = { numConversations: 32, numTurns: 6, prefixLength: 2000, newTokens: 64 };
const QUICK: Sizes = { numConversations: 16, numTurns: 2, prefixLength: 600, newTokens: 16 };
const BATCH_SIZE = 16;
const MEBIBYTE = 2 ** 20;

export async function run({ isQuick }: BenchmarkOptions): Promise<BenchmarkReport> {
  const sizes = isQuick ? QUICK : FULL;
  const threads = Math.min(2, cpus().length);
  const folder = await mkdtemp(join(tmpdir(), "turnwise-serving-"));
  try {
    await writeWorkload(folder, sizes);
    const ours = await measureOurs(folder, sizes, threads);
    const apart = await measurePeer(folder, sizes, { threads, passesCache: false });
    const passed = await measurePeer(folder, sizes, { threads, passesCache: true });
    const rows = [...compare("", ours, apart), ...compare(", peer's cache passed on between turns", ours, passed)];
    return { benchmark: "serving", device: `${describeDevice()}, ${threads} threads on both sides`, rows };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function compare(suffix: string, ours: Figures, { version, ...peer }: Figures & { version: string }): BenchmarkRow[] {
  const name = `transformers ${version} generate, static batches of ${BATCH_SIZE}, same run`;
  const row = (what: string, unit: string, of: (figures: Figures) => number) =>
    rateRow(`${what}${suffix}`, unit, of(ours), { value: of(peer), name });
  const memory = row("peak memory", "MiB", ({ peakBytes }) => peakBytes / MEBIBYTE);
  return [
    row("generated tokens", "tokens/s", ({ numTokens, seconds }) => numTokens / seconds),
    row("generated tokens per second of processor time", "tokens/s", ({ numTokens, cpuSeconds }) => numTokens / cpuSeconds),
    { ...memory, ratio: peer.peakBytes / ours.peakBytes },
  ];
}

async function writeWorkload(folder: string, { numConversations, numTurns, prefixLength }: Sizes): Promise<void> {
  const script = fileURLToPath(new URL("peers/serving_workload.py", import.meta.url));
  await execa(readSettings().python, [script, folder, String(numConversations), String(numTurns), String(prefixLength)], {
    env: { PYTHONPATH: join(REPOSITORY, "trainer", "src") },
  });
}

async function measureOurs(folder: string, sizes: Sizes, threads: number): Promise<Figures> {
  const { prefix, conversations } = JSON.parse(await readFile(join(folder, "workload.json"), "utf8")) as Workload;
  const server = await startServer(join(folder, "model"), { threads, slots: sizes.numConversations });
  const client = createInferenceClient({ baseUrl: `${server.url}/v1`, environment: {}, timeoutSeconds: 3600 });
  try {
    await generate(client, prefix.slice(0, 32), 4, 0);
    const cpuBefore = await server.cpuSeconds();
    const started = performance.now();
    await Promise.all(conversations.map((turns, index) => converse(client, prefix, turns, sizes.newTokens, index)));
    const seconds = (performance.now() - started) / 1000;
    return {
      seconds,
      cpuSeconds: (await server.cpuSeconds()) - cpuBefore,
      numTokens: sizes.numConversations * sizes.numTurns * sizes.newTokens,
      peakBytes: await server.peakBytes(),
    };
  } finally {
    await server.stop();
  }
}

async function converse(client: OpenAI, prefix: number[], turns: number[][], newTokens: number, seed: number): Promise<void> {
  let tokens = prefix;
  for (const context of turns) {
    tokens = [...tokens, ...context];
    tokens = [...tokens, ...(await generate(client, tokens, newTokens, seed))];
  }
}

async function generate(client: OpenAI, prompt: number[], newTokens: number, seed: number): Promise<number[]> {
  const body = {
    model: "policy",
    prompt,
    max_tokens: newTokens,
    temperature: 1,
    seed,
    logprobs: 0,
    return_token_ids: true,
    ignore_eos: true,
  };
  const answer = await client.completions.create(body);
  const { token_ids: tokenIds } = answer.choices[0] as unknown as { token_ids: number[] };
  if (tokenIds.length !== newTokens) throw new Error(`${tokenIds.length} tokens instead of ${newTokens}`);
  return tokenIds;
}

async function measurePeer(
  folder: string,
  { newTokens }: Sizes,
  { threads, passesCache }: { threads: number; passesCache: boolean },
): Promise<Figures & { version: string }> {
  const script = fileURLToPath(new URL("peers/serving_transformers.py", import.meta.url));
  const python = await peerPython("serving");
  const arguments_ = [script, folder, String(BATCH_SIZE), String(newTokens), String(threads), passesCache ? "1" : "0"];
  const { stdout } = await execa(python, arguments_, { env: { OMP_NUM_THREADS: String(threads), HF_HUB_OFFLINE: "1" } });
  return JSON.parse(stdout) as Figures & { version: string };
}
