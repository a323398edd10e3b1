// policy.start with a real executable, a real server and real weights: only the program is not vLLM, which needs a GPU host.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { type OpenedPolicy, openPolicy } from "#adapters/inference/open-policy.ts";
import { stopStartedVllms } from "#adapters/inference/vllm/started-vllm.ts";
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { PolicyConfig } from "#contracts/campaign-config.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import type { Conversation } from "#core/ports.ts";
import { TRAINER_SOURCE } from "../../../infra/setup/python/our-python.mjs";
import { longTemporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPython, PYTHON } from "../../support/python.ts";
import { makeTinyAdapters, makeTinyModel } from "../../support/tiny-policy.ts";

const signal = new AbortController().signal;
const conversation: Conversation = { systemPrompt: "be brief", tools: [], firstUserMessage: "hello", turns: [] };
const STAND_IN = fileURLToPath(new URL("vllm-stand-in.py", import.meta.url));

interface Call {
  readonly pid: number;
  readonly model: string;
  readonly others: string[];
  readonly environment: Readonly<Record<string, string>>;
}

describe.skipIf(!hasPython)("vLLM that a campaign starts", () => {
  const folder = longTemporaryFolder();
  const policies = createPolicyStore(new LocalArtifactStore(join(folder, "record")), join(folder, "policies"));
  const program = join(folder, "vllm");
  let port: number;
  let base: PolicyRef;
  let adapters: PolicyRef[];

  const configOf = (weights: "lora" | "full") => {
    const endpoint = { type: "vllm", baseUrl: `http://127.0.0.1:${port}/v1`, model: "unused", checkpoint: "-", apiKeyEnv: "THE_KEY" };
    const limits = { maxTokensPerTurn: 20, maxContextTokens: 512, weights };
    return PolicyConfig.parse({ ...endpoint, ...limits, start: { readySeconds: 60, maxAdapters: 2, isBatchInvariant: true } });
  };
  const host = (name = program) => ({
    program: name,
    python: PYTHON,
    policyRoot: join(folder, "policies"),
    logFolder: join(folder, "logs"),
    idleSeconds: 2,
  });
  const open = (ref: PolicyRef, weights: "lora" | "full" = "lora", name = program): Promise<OpenedPolicy> =>
    openPolicy(configOf(weights), ref, {
      policies,
      policyUrl: "http://127.0.0.1:9",
      formats: {},
      vllm: host(name),
      environment: { THE_KEY: "sesame" },
    });
  const calls = (): Call[] =>
    readFileSync(join(folder, "calls"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Call);
  const sample = async ({ policy }: OpenedPolicy) => (await policy.respond(conversation, { seed: 1, signal })).tokens;
  const load = async (ref: PolicyRef, weights?: "lora" | "full"): Promise<OpenedPolicy> => {
    const opened = await open(ref, weights);
    await opened.ensureLoaded(signal);
    return opened;
  };

  beforeAll(async () => {
    process.env["STAND_IN_CALLS"] = join(folder, "calls");
    writeFileSync(program, `#!/bin/sh\nPYTHONPATH='${TRAINER_SOURCE}' exec '${PYTHON}' '${STAND_IN}' "$@"\n`);
    chmodSync(program, 0o755);
    const corpus = ["hello there, what can I do for you?", "be brief and cancel the reservation"];
    const specialTokens = ["<|im_end|>", "<|im_start|>"];
    for (const seed of [0, 1]) makeTinyModel({ directory: join(folder, `tiny-${seed}`), specialTokens, corpus, seed });
    base = await policies.import(join(folder, "tiny-0"), { label: "base", parentHash: null });
    const directories = [1, 2, 3].map((number) => join(folder, `adapter-${number}`));
    makeTinyAdapters({ base: await policies.directory(base), directories });
    const options = { label: "pol", parentHash: base.hash, base };
    adapters = await Promise.all(directories.map((directory) => policies.import(directory, options)));
    port = await freePort();
  }, 120_000);
  afterAll(stopStartedVllms);

  test("is started with the flags that training needs, and serves base and adapters under names with their hashes", async () => {
    const opened = [await load(base), await load(adapters[0] as PolicyRef), await load(adapters[1] as PolicyRef)];
    const answers = await Promise.all(opened.map(sample));
    expect(new Set(answers.map((answer) => answer?.tokenIds.join())).size).toBe(3);
    const served = [base, adapters[0], adapters[1]].map((ref) => ref?.name);
    expect((await opened[0]?.server.loadedPolicies(signal))?.sort()).toEqual(served.sort());
    const [call, ...more] = calls();
    expect(more).toEqual([]);
    expect(call?.model).toBe(await policies.directory(base));
    expect(call?.others.join(" ")).toContain("--logprobs-mode processed_logprobs --generation-config vllm");
    expect(call?.others.join(" ")).toContain("--enable-lora --max-loras 2 --max-cpu-loras 2 --max-lora-rank 16");
    expect(call?.others.join(" ")).not.toContain("sesame");
    expect(call?.environment).toMatchObject({ VLLM_API_KEY: "sesame", VLLM_ALLOW_RUNTIME_LORA_UPDATING: "1", VLLM_BATCH_INVARIANT: "1" });
  }, 120_000);

  test("is left with as many adapters as it is told to hold, those used last", async () => {
    await load(adapters[0] as PolicyRef);
    const { server } = await load(adapters[2] as PolicyRef);
    expect((await server.loadedPolicies(signal)).sort()).toEqual([base, adapters[0], adapters[2]].map((ref) => ref?.name).sort());
  });

  test("is started again when it died, and says what it said before", async () => {
    const before = await sample(await load(adapters[0] as PolicyRef));
    process.kill(calls().at(-1)?.pid ?? 0, "SIGKILL");
    const opened = await open(adapters[0] as PolicyRef);
    await expect(opened.policy.respond(conversation, { seed: 1, signal })).rejects.toMatchObject({ code: "provider.unavailable" });
    await opened.ensureLoaded(signal);
    expect(await sample(opened)).toEqual(before);
    expect(calls()).toHaveLength(2);
  }, 120_000);

  test("is started again with new whole weights, and the old process is gone", async () => {
    const old = calls().at(-1)?.pid ?? 0;
    const child = await policies.import(join(folder, "tiny-1"), { label: "base", parentHash: base.hash });
    const opened = await load(child, "full");
    expect(() => process.kill(old, 0)).toThrow();
    expect(await opened.server.loadedPolicies(signal)).toEqual([child.name]);
    expect(child.name).toContain(child.hash.slice(0, 12));
    expect(await sample(opened)).not.toEqual(await sample(await load(base, "full")));
    expect(
      calls()
        .slice(2)
        .map(({ model }) => model),
    ).toEqual([await policies.directory(child), await policies.directory(base)]);
    expect(calls().at(-1)?.others).not.toContain("--enable-lora");
  }, 120_000);

  test("is used by two campaigns with whole weights by turns: started once for each turn, and the second one is told who has it", async () => {
    await stopStartedVllms();
    const before = calls().length;
    const other = await policies.import(join(folder, "tiny-1"), { label: "other", parentHash: base.hash });
    const [first, second] = [await open(base, "full"), await open(other, "full")];
    const told: string[] = [];
    await first.ensureLoaded(signal, { holder: "campaign one" });
    let isSecond = false;
    const waiting = second
      .ensureLoaded(signal, { holder: "campaign two", onWait: (message) => told.push(message) })
      .then(() => (isSecond = true));
    for (let call = 0; call < 5; call += 1) {
      await sample(first);
      await first.ensureLoaded(signal, { holder: "campaign one" });
    }
    expect(isSecond).toBe(false);
    expect(told).toEqual([`waiting for the policy server at http://127.0.0.1:${port}/v1, held by campaign one`]);
    await waiting;
    await sample(second);
    expect(calls().length - before).toBe(2);
  }, 120_000);

  test("is gone when the worker that started it is killed", async () => {
    port = await freePort();
    const script = `
      const { openPolicy } = await import("#adapters/inference/open-policy.ts");
      const [config, ref, context] = JSON.parse(process.argv[1]);
      const { LocalArtifactStore } = await import("#adapters/artifact-store/local.ts");
      const { createPolicyStore } = await import("#adapters/policy-store/policy-store.ts");
      const policies = createPolicyStore(new LocalArtifactStore(context.record), context.vllm.policyRoot);
      const opened = await openPolicy(config, ref, { ...context, policies });
      await opened.ensureLoaded(new AbortController().signal);
      console.log("loaded");
      setInterval(() => {}, 1000);
    `;
    const context = { record: join(folder, "record"), policyUrl: "http://127.0.0.1:9", vllm: host(), environment: { THE_KEY: "sesame" } };
    const argument = JSON.stringify([configOf("lora"), base, context]);
    const worker = spawn(process.execPath, ["--input-type=module", "-e", script, argument], {
      cwd: REPOSITORY,
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(worker.stdout, "data");
    const { pid } = calls().at(-1) as Call;
    expect(() => process.kill(pid, 0)).not.toThrow();
    worker.kill("SIGKILL");
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), { timeout: 20_000 });
  }, 60_000);

  test("that ends before it answers is an error with its last lines; one that does not exist is too", async () => {
    await stopStartedVllms();
    process.env["STAND_IN_FAILS"] = "1";
    const failing = await open(base);
    await expect(failing.ensureLoaded(signal)).rejects.toMatchObject({
      code: "provider.unavailable",
      message: expect.stringContaining("no kernel image"),
    });
    delete process.env["STAND_IN_FAILS"];
    port = await freePort();
    await expect((await open(base, "lora", "/absent/vllm")).ensureLoaded(signal)).rejects.toMatchObject({
      code: "provider.unavailable",
      message: expect.stringContaining("/absent/vllm"),
    });
  }, 60_000);
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
