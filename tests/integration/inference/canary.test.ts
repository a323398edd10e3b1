// Wrong weights under a right name, on a real server: what was sampled from the policy and what the trainer said of it must both notice.

import { createHash } from "node:crypto";
import { cpSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { type OpenedPolicy, openPolicy } from "#adapters/inference/open-policy.ts";
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import { PolicyConfig } from "#contracts/campaign-config.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import { compactFormat } from "#environments/synthetic-airline/compact-format/compact.ts";
import { longTemporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPython, runPython } from "../../support/python.ts";
import { makeTinyAdapters, makeTinyModel, startPolicyServer, type TestPolicyServer } from "../../support/tiny-policy.ts";

const signal = new AbortController().signal;
const WRONG = { code: "provider.wrong-weights", message: expect.stringContaining("wrong weights or wrong template") };

/** canary.json of policies, by the trainer's own code, of turns of random tokens; and the base's weights, each 1 % larger. */
const MAKE_CANARIES = `
import json, shutil, sys, torch
from pathlib import Path
from safetensors.torch import load_file, save_file
from trainer.adapter import read_adapter, read_shape
from trainer.batch import Row
from trainer.canary import make_canary, write_canary
from trainer.model_files import policy_hash
from trainer.policy import TrainablePolicy
from trainer.train import action_logprobs
r = json.load(sys.stdin)
base, generator = Path(r["base"]), torch.Generator().manual_seed(0)
def row(length):
    ids = torch.randint(0, r["vocabSize"], (length,), generator=generator)
    turns = torch.tensor([0] * 7 + [1] * 5, dtype=torch.int32)
    positions = torch.cat((torch.arange(10, 17), torch.arange(length - 7, length - 2)))
    return Row(ids, positions, torch.zeros(12), torch.ones(12), turns)
rows = [row(40 + 3 * index) for index in range(40)]
for adapter in r["adapters"]:
    policy = TrainablePolicy(base, "cpu")
    directory = base
    if adapter is not None:
        directory = Path(adapter)
        shape = read_shape(directory)
        policy.add_adapter(shape, 0)
        policy.load_adapter(read_adapter(directory, shape, policy_hash(base)), directory)
    def score(rows):
        with torch.no_grad(): return {index: action_logprobs(policy, [row], "loop", 1.0)[0][0] for index, row in rows}
    job = Path(r["folder"]) / directory.name; job.mkdir(parents=True)
    write_canary(job, make_canary(rows, score, 1.0, torch.float32))
weights = Path(shutil.copytree(base, r["scaled"])) / "model.safetensors"
save_file({name: 1.01 * tensor for name, tensor in load_file(weights).items()}, weights)
print("null")
`;

describe.skipIf(!hasPython)("the canary", () => {
  const folder = longTemporaryFolder();
  const policies = createPolicyStore(new LocalArtifactStore(join(folder, "record")), join(folder, "policies"));
  let server: TestPolicyServer;
  let whole: PolicyRef;
  let adapters: PolicyRef[];
  const scaled = join(folder, "scaled");

  const embedded = PolicyConfig.parse({ type: "embedded", format: "native", weights: "lora", checkpoint: "-", temperature: 1 });
  const open = (ref: PolicyRef, config = embedded): Promise<OpenedPolicy> =>
    openPolicy(config, ref, { policies, policyUrl: server.url, formats: { compact: compactFormat } });
  const post = async (path: string, body: object): Promise<void> => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${server.url}/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
  };
  const sha256 = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

  beforeAll(async () => {
    server = await startPolicyServer(folder);
    const model = join(folder, "tiny");
    makeTinyModel({ directory: model, specialTokens: ["<|im_end|>", "<|im_start|>"], corpus: ["some text to learn from"], vocabSize: 300 });
    const names = ["right", "wrong"].map((name) => join(folder, name));
    const bare = await policies.import(model, { label: "base", parentHash: null });
    const base = await policies.directory(bare);
    makeTinyAdapters({ base, directories: names });
    runPython(MAKE_CANARIES, { base, adapters: [null, ...names], folder: join(folder, "canaries"), vocabSize: 200, scaled });
    const canary = (directory: string) => join(folder, "canaries", basename(directory), "canary.json");
    whole = await policies.import(model, { label: "base", parentHash: "a".repeat(64), canary: canary(base) });
    const options = { label: "pol", parentHash: whole.hash, base: whole };
    adapters = await Promise.all(names.map((name) => policies.import(name, { ...options, canary: canary(name) })));
  }, 120_000);
  afterAll(() => server?.kill());

  test("passes what the trainer has left, whole or an adapter: 64 turns within 1e-5", async () => {
    for (const ref of [whole, ...adapters]) {
      const opened = await open(ref);
      await opened.ensureLoaded(signal);
      const report = await opened.checkTrainedTurns(signal);
      expect(report).toMatchObject({ numTurns: 64 });
      expect(report?.maxDifference).toBeLessThan(1e-5);
      expect(report?.maxDifference).toBeGreaterThan(0);
    }
  }, 60_000);

  test("says nothing of a policy that the trainer has not scored", async () => {
    const bare = await policies.import(join(folder, "tiny"), { label: "bare", parentHash: null });
    expect(await (await open(bare)).checkTrainedTurns(signal)).toBeNull();
  });

  test("catches another adapter under the right name", async () => {
    const [right, wrong] = adapters as [PolicyRef, PolicyRef];
    const name = `planted-${right.hash.slice(0, 12)}`;
    const opened = await open({ ...right, name });
    await post("load_lora_adapter", { lora_name: name, lora_path: await policies.directory(wrong), base_model_name: whole.name });
    await expect(opened.checkTrainedTurns(signal)).rejects.toMatchObject(WRONG);
    await expect(opened.ensureLoaded(signal)).rejects.toMatchObject({ code: "provider.wrong-weights" });
  });

  test("catches it behind vLLM's endpoints too, where names and folders are all that can be looked at", async () => {
    const [right, wrong] = adapters as [PolicyRef, PolicyRef];
    const config = PolicyConfig.parse({ type: "vllm", baseUrl: `${server.url}/v1`, model: whole.name, checkpoint: "-" });
    const name = `vllm-${right.hash.slice(0, 12)}`;
    const impostor = join(folder, "elsewhere", right.hash);
    cpSync(await policies.directory(wrong), impostor, { recursive: true });
    await post("load_lora_adapter", { lora_name: name, lora_path: impostor });
    const opened = await open({ ...right, name }, config);
    await opened.ensureLoaded(signal);
    await expect(opened.checkTrainedTurns(signal)).rejects.toMatchObject(WRONG);
    const honest = await open(right, config);
    await honest.ensureLoaded(signal);
    expect((await honest.checkTrainedTurns(signal))?.maxDifference).toBeLessThan(1e-5);
  });

  test("catches whole weights that are 1 % too large", async () => {
    const name = `scaled-${whole.hash.slice(0, 12)}`;
    await post("load_policy", { name, path: scaled, sha256: sha256(join(scaled, "model.safetensors")) });
    const opened = await open({ ...whole, name });
    await expect(opened.checkTrainedTurns(signal)).rejects.toMatchObject(WRONG);
    await expect(opened.ensureLoaded(signal)).rejects.toMatchObject({ code: "provider.wrong-weights" });
  });
});
