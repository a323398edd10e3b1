// A tiny, randomly initialised Qwen3 and the real policy server that serves it.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { pythonEnvironment } from "../../infra/setup/python/our-python.mjs";
import { PYTHON, runPython } from "./python.ts";

const MAKE_MODEL = `
import json, sys, torch
from pathlib import Path
from trainer.contracts import TokenizerJob
from model.shape import Qwen3Shape, qwen3_config
from trainer.model_files import write_model
from trainer.qwen3 import Qwen3, initialize
from trainer.tokenizer import tokenizer_json, tokenizer_config
r = json.load(sys.stdin)
directory = Path(r["directory"]); directory.mkdir(parents=True)
job = TokenizerJob(Path("-"), r["vocabSize"], r["specialTokens"], [], directory)
content = tokenizer_json(job, r["corpus"])
(directory / "tokenizer.json").write_text(json.dumps(content))
(directory / "tokenizer_config.json").write_text(json.dumps(tokenizer_config(job)))
shape = Qwen3Shape(vocab_size=len(content["model"]["vocab"]), hidden_size=32, num_layers=2, num_heads=4, num_key_value_heads=2, head_dim=8,
    intermediate_size=48, rope_theta=10000.0, max_positions=r["maxPositions"])
model = Qwen3(shape); initialize(model, r["seed"])
with torch.no_grad():
    for parameter in model.parameters():
        if parameter.ndim == 2: parameter.mul_(4)
    # A random model would rarely end a turn: here the first special token is likely in about half of all contexts.
    model.get_parameter("model.embed_tokens.weight")[0].mul_(r["endScale"])
write_model(directory, qwen3_config(shape), {name: parameter.detach() for name, parameter in model.named_parameters()})
print("null")
`;

export interface TinyModel {
  readonly directory: string;
  readonly specialTokens: readonly string[];
  readonly corpus: readonly string[];
  readonly vocabSize?: number;
  readonly maxPositions?: number;
  readonly seed?: number;
  readonly endScale?: number;
}

export function makeTinyModel(model: TinyModel): void {
  runPython(MAKE_MODEL, { vocabSize: 400, maxPositions: 1024, seed: 0, endScale: 6, ...model });
}

const MAKE_ADAPTERS = `
import json, sys, torch
from pathlib import Path
from trainer.contracts import AdapterShape
from trainer.model_files import policy_hash
from trainer.policy import TrainablePolicy
r = json.load(sys.stdin)
base = Path(r["base"])
policy = TrainablePolicy(base, "cpu")
policy.add_adapter(AdapterShape(4, 8.0, ("q_proj", "v_proj", "down_proj")), 0)
generator = torch.Generator().manual_seed(0)
for directory in map(Path, r["directories"]):
    directory.mkdir(parents=True)
    with torch.no_grad():
        for _, parameter in policy.named_parameters(): parameter.normal_(0, 0.15, generator=generator)
    policy.export(directory, policy_hash(base))
print("null")
`;

/** LoRA adapters of random weights for a model directory, each other than the one before, written by the trainer. */
export function makeTinyAdapters(adapters: { readonly base: string; readonly directories: readonly string[] }): void {
  runPython(MAKE_ADAPTERS, adapters);
}

export interface TestPolicyServer {
  /** Without /v1. */
  readonly url: string;
  kill(): Promise<void>;
  /** Stops it from answering, until `resume`. */
  pause(): void;
  resume(): void;
}

/** Starts \`python -m policy_server\` on a free port, or on \`port\`; it ends with this process at the latest. */
export async function startPolicyServer(policyRoot: string, options: readonly string[] = [], port = 0): Promise<TestPolicyServer> {
  const child = spawn(
    PYTHON,
    ["-m", "policy_server", "--policy-root", policyRoot, "--port", String(port), "--die-with-parent", ...options],
    {
      env: pythonEnvironment({ KMP_BLOCKTIME: "0" }),
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const ready = await readyLine(child);
  return {
    url: `http://${ready.host}:${ready.port}`,
    pause: () => child.kill("SIGSTOP"),
    resume: () => child.kill("SIGCONT"),
    async kill() {
      const ended = new Promise((done) => child.once("exit", done));
      if (child.exitCode === null && child.signalCode === null && child.kill("SIGKILL")) await ended;
    },
  };
}

async function readyLine(child: ChildProcess): Promise<{ host: string; port: number }> {
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2000);
  });
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    return JSON.parse(line) as { host: string; port: number };
  }
  throw new Error(`the policy server did not start: ${errors}`);
}
