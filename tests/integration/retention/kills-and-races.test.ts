// What a collection does to the record when it is killed at any of its file operations, and when it runs beside writers and other collections.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import { collectGarbage } from "#adapters/retention/collect-garbage.ts";
import { RetentionConfig } from "#contracts/retention.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { makeOld, openHome, writeTrainedCampaign } from "../../fixtures/trained-campaign.ts";

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/gc/${name}`, import.meta.url));
const NARROW = RetentionConfig.parse({ policies: { last: 1, best: false }, batches: "none" });

function run(
  script: string,
  parameters: readonly string[],
  env: Record<string, string> = {},
): ChildProcess & { readonly output: string[] } {
  const preload = Object.keys(env).length > 0 ? ["--import", fixture("kill-at-operation.mjs")] : [];
  const child = spawn(process.execPath, [...preload, fixture(script), ...parameters], { env: { ...process.env, ...env } });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => output.push(chunk.toString()));
  return Object.assign(child, { output });
}

async function endOf(child: ReturnType<typeof run>): Promise<{ code: number | null; signal: string | null; output: string }> {
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  return { code, signal, output: child.output.join("") };
}

/** All files below a home with their sizes; what notes of dropped blobs say of the time is left out. */
function snapshot(home: string): string[] {
  return readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path.slice(home.length)} ${path.includes("/dropped/") ? "" : statSync(path).size}`)
    .filter((line) => !line.startsWith("/record/tmp/"))
    .sort();
}

async function writeHome(): Promise<string> {
  const home = temporaryFolder();
  const at = openHome(home);
  await writeTrainedCampaign(at, { id: "a", numIterations: 2, retention: NARROW, isEnded: true });
  await at.store.putBlob(Buffer.from("orphan"), "Text/1");
  const journals = join(at.recordRoot, "campaigns/a/iterations/0001/turns/train/t1");
  mkdirSync(journals, { recursive: true });
  for (const trial of [0, 1]) writeFileSync(join(journals, `${trial}-1.jsonl`), "{}");
  mkdirSync(join(at.policyRoot, ".making-abc"));
  makeOld(at);
  return home;
}

test("killed at any file operation it leaves a record in which all is there that must be, and the next collection ends the work", {
  timeout: 300_000,
}, async () => {
  const template = await writeHome();
  const expected = temporaryFolder();
  const copy = (home: string) => {
    cpSync(template, home, { recursive: true, preserveTimestamps: true });
    makeOld(openHome(home));
  };
  copy(expected);
  const counted = join(temporaryFolder(), "count");
  expect(await endOf(run("collect.ts", [expected], { COUNT_TO: counted }))).toMatchObject({ code: 0 });
  const done = snapshot(expected);
  const numOperations = Number(readFileSync(counted, "utf8"));
  expect(numOperations).toBeGreaterThan(20);
  const campaign = await openHome(expected).record.requireCampaign("a");
  const final = (await openHome(expected).record.readEnd("a"))?.finalPolicy;
  const killed: number[] = [];
  const tryAt = async (operation: number): Promise<void> => {
    const home = temporaryFolder();
    copy(home);
    const { signal } = await endOf(run("collect.ts", [home], { KILL_AT: String(operation) }));
    if (signal === "SIGKILL") killed.push(operation);
    const { store, policyRoot } = openHome(home);
    const policies = createPolicyStore(store, policyRoot);
    for (const policy of [campaign.basePolicy, final ?? campaign.basePolicy]) {
      await policies.directory(policy);
      await policies.optimizerState(policy);
    }
    makeOld(openHome(home));
    await collectGarbage({ ...openHome(home), now: Date.now() });
    // The base policy's directory was put in place by the look above.
    rmSync(join(policyRoot, campaign.basePolicy.hash), { recursive: true });
    expect(snapshot(home)).toEqual(done);
    rmSync(home, { recursive: true });
  };
  for (let operation = 1; operation <= numOperations; operation += 2)
    await Promise.all([operation, operation + 1].filter((each) => each <= numOperations).map(tryAt));
  expect(killed).toHaveLength(numOperations);
});

test("beside writers that store old orphans again and name them, and beside each other, collections lose nothing", {
  timeout: 120_000,
}, async () => {
  const home = temporaryFolder();
  const at = openHome(home);
  await at.store.putOnce("named/first.json", {});
  const writers = ["a", "b"].map((name) => run("store-and-name.ts", [home, name, "6"]));
  const ends = Promise.all(writers.map(endOf));
  let isOver = false;
  void ends.then(() => {
    isOver = true;
  });
  let numRemoved = 0;
  const loop = async () => {
    while (!isOver) {
      const { rows } = await collectGarbage({ ...openHome(home), now: Date.now() });
      numRemoved += rows.find(({ kind }) => kind === "orphans")?.freed.count ?? 0;
    }
  };
  await Promise.all([loop(), loop()]);
  for (const { code, output } of await ends) expect({ code, lost: output }).toEqual({ code: 0, lost: "[]" });
  const names = (await at.store.listManifests()).filter((name) => /^named\/[ab]-/.test(name));
  expect(names).toHaveLength(300);
  for (const name of names) await at.store.getBlob(((await at.store.read(name)) as { ref: Parameters<typeof at.store.getBlob>[0] }).ref);
  expect(numRemoved).toBeGreaterThan(0); // the collections did meet old orphans
});
