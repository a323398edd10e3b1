// The embedded policy server, real: token-in completions, loading by hash, and a server that is killed in the middle of a group.

import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { openPolicy } from "#adapters/inference/open-policy.ts";
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import { PolicyConfig } from "#contracts/campaign-config.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import type { Task } from "#contracts/task.ts";
import { type GroupInput, type GroupResult, runGroup } from "#core/rollout/run-group.ts";
import { loadSyntheticAirline } from "#environments/synthetic-airline/airline.ts";
import { COMPACT_SPECIAL_TOKENS, compactFormat } from "#environments/synthetic-airline/compact-format/compact.ts";
import { scriptedSimulator } from "#simulators/scripted.ts";
import { longTemporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPython } from "../../support/python.ts";
import { realClock } from "../../support/real-clock.ts";
import { makeTinyModel, startPolicyServer, type TestPolicyServer } from "../../support/tiny-policy.ts";
import { memoryJournal } from "../../unit/core/rollout/parties.ts";

const signal = new AbortController().signal;
const config = PolicyConfig.parse({ type: "embedded", checkpoint: "-", maxTokensPerTurn: 40 });

describe.skipIf(!hasPython)("the embedded policy", () => {
  const folder = longTemporaryFolder();
  const policies = createPolicyStore(new LocalArtifactStore(join(folder, "record")), join(folder, "policies"));
  let server: TestPolicyServer;
  let refs: PolicyRef[];
  let undisturbed: GroupResult;

  const open = (ref: PolicyRef) => openPolicy(config, ref, { policies, policyUrl: server.url, formats: { compact: compactFormat } });
  const rollOut = async (overrides: Partial<GroupInput<unknown>> = {}): Promise<GroupResult> => {
    const { environment, splits } = loadSyntheticAirline(1);
    const { policy, ensureLoaded } = await open(refs[0] as PolicyRef);
    return runGroup({
      task: splits.train[0] as Task,
      groupSize: 8,
      environment,
      policy,
      simulator: scriptedSimulator,
      seed: "embedded",
      journal: () => memoryJournal(),
      limits: { maxTurns: 8, maxAttempts: 2, maxWaitSeconds: 60 },
      ensurePolicy: ensureLoaded,
      clock: realClock,
      signal,
      ...overrides,
    });
  };

  beforeAll(async () => {
    const { splits } = loadSyntheticAirline(1);
    const corpus = splits.train.slice(0, 50).map(({ instruction }) => instruction.toLowerCase());
    for (const seed of [0, 1])
      makeTinyModel({ directory: join(folder, `tiny-${seed}`), specialTokens: COMPACT_SPECIAL_TOKENS, corpus, seed, endScale: 8 });
    refs = await Promise.all([0, 1].map((seed) => policies.import(join(folder, `tiny-${seed}`), { label: "tiny", parentHash: null })));
    server = await startPolicyServer(folder);
    undisturbed = await rollOut();
  }, 300_000);
  afterAll(() => server?.kill());

  test("is loaded on demand: the group asked a server that had no weights", () => {
    expect(undisturbed.trajectories).toHaveLength(8);
    expect(undisturbed.usage.modelCalls).toBeGreaterThan(8);
  });

  test("has one trainable row per trajectory, since every prompt extends what was sampled before", () => {
    for (const { rows, turns } of undisturbed.trajectories) {
      expect(rows).toHaveLength(1);
      expect(rows[0]?.spans.map(({ turn }) => turn)).toEqual(turns.map(({ index }) => index));
    }
  });

  test("repeats itself to the bit, and another policy's turns are found out", async () => {
    const [first, second] = await Promise.all(refs.map(open));
    await Promise.all([first?.ensureLoaded(signal), second?.ensureLoaded(signal)]);
    const report = await first?.checkStoredTurns(undisturbed.trajectories, signal);
    expect(report?.numTurns).toBeGreaterThan(8);
    expect(report?.maxDifference).toBe(0);
    const mislabelled = undisturbed.trajectories.map((trajectory) => ({
      ...trajectory,
      policy: { ...trajectory.policy, hash: refs[1]?.hash ?? "" },
    }));
    await expect(second?.checkStoredTurns(mislabelled, signal)).rejects.toMatchObject({
      code: "provider.wrong-weights",
      message: expect.stringContaining("wrong weights or wrong template"),
    });
  });

  test("whose server is killed in the middle of a group and comes back empty gives the same group", async () => {
    const port = Number(new URL(server.url).port);
    const restarts: Promise<void>[] = [];
    let numTurns = 0;
    const restart = async () => {
      await server.kill();
      server = await startPolicyServer(folder, [], port);
    };
    const onTurn = () => {
      numTurns += 1;
      if (numTurns === 10) restarts.push(restart());
    };
    const disturbed = await rollOut({ onTurn });
    await Promise.all(restarts);
    expect(restarts).toHaveLength(1);
    expect(disturbed.trajectories).toEqual(undisturbed.trajectories);
    expect(disturbed.numRetriedRollouts).toBe(0);
  }, 300_000);

  test("is refused under a name that the server knows with other weights", async () => {
    const [first, second] = refs as [PolicyRef, PolicyRef];
    const impostor = await open({ ...second, name: first.name });
    await (await open(first)).ensureLoaded(signal);
    await expect(impostor.ensureLoaded(signal)).rejects.toMatchObject({ code: "provider.wrong-weights" });
  });

  test("whose files in the policy folder are damaged is put right from the record", async () => {
    const fresh = createPolicyStore(new LocalArtifactStore(join(folder, "record")), join(folder, "policies"));
    const directory = await fresh.directory(refs[1] as PolicyRef);
    appendFileSync(join(directory, "config.json"), " ");
    const again = createPolicyStore(new LocalArtifactStore(join(folder, "record")), join(folder, "policies"));
    expect(await again.directory(refs[1] as PolicyRef)).toBe(directory);
    const { hash } = await again.import(directory, { label: "x", parentHash: null });
    expect(hash).toBe(refs[1]?.hash);
  });
});
