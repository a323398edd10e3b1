// Whose rollouts are read: tasks are told apart, rollouts count once, failed entries are left out by name, and nothing stops a glob.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exportTauBench } from "#adapters/rollout-files/export-tau-bench.ts";
import { exportTau2 } from "#adapters/rollout-files/export-tau2.ts";
import { importRolloutText, type RolloutFiles, readRollouts } from "#adapters/rollout-files/read-rollouts.ts";
import { groupByTask } from "#core/calibration/buffer.ts";
import { labelRollout } from "#core/reward/label-rollout.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";
import { dumpsIndented } from "#environments/tau/python/indented.ts";
import { longTemporaryFolder, temporaryFolder } from "../../../fixtures/temporary-folder.ts";
import { FOREIGN_INPUTS, hasForeignInputs } from "../../../support/foreign-inputs.ts";
import {
  asLines,
  asTau2,
  asTauBench,
  tau2Head,
  tau2Simulation,
  WRITERS,
  type WrittenRun,
  writtenRun,
} from "../../../support/written-rollouts.ts";

const CATALOG = createToolCatalog({});
const CONTEXT = { systemPrompt: null, goldenHash: () => null };
const OPTIONS = { catalog: CATALOG, tasks: null };
const EXPORTS = { "tau-bench": exportTauBench, tau2: exportTau2 } as const;
const NUM_RUNS = 40;

/** What every figure is made from. */
function figures({ rollouts }: Pick<RolloutFiles, "rollouts">) {
  return groupByTask(rollouts.map(({ task, trajectory }) => labelRollout(trajectory, task, "finer/1", CATALOG)));
}

function countPairs(files: Pick<RolloutFiles, "rollouts">): { groups: number; pairs: number } {
  const groups = figures(files);
  const pairs = groups.map(({ rollouts }) => {
    const passes = rollouts.filter(({ outcome }) => outcome === 1).length;
    return passes * (rollouts.length - passes);
  });
  return { groups: groups.length, pairs: pairs.reduce((total, count) => total + count, 0) };
}

const exportOf = (text: string, format: keyof typeof EXPORTS) =>
  dumpsIndented(EXPORTS[format](importRolloutText("run", text, CATALOG).rollouts, CONTEXT));

/** Everything that holds the rollouts of a run again, or some of them. */
const COPIES: Readonly<Record<string, (run: WrittenRun, text: string) => string>> = {
  "byte for byte": (_, text) => text,
  "with other spaces": (_, text) => (text.startsWith("[") ? JSON.stringify(JSON.parse(text)) : `${text} \n`),
  "as tau-bench": (_, text) => exportOf(text, "tau-bench"),
  "as tau2": (_, text) => exportOf(text, "tau2"),
  "there and back": (_, text) => exportOf(exportOf(text, "tau2"), "tau-bench"),
  "as lines without trials": (run) => asLines(run),
  "as lines that name the set": (run) => asLines(run, { task_set: `tau2-${run.domain}` }),
};

describe("files of rollouts", () => {
  const folder = longTemporaryFolder();
  let numFiles = 0;
  const write = (text: string) => {
    numFiles += 1;
    const path = join(folder, `file-${numFiles}.json`);
    writeFileSync(path, text);
    return path;
  };
  const read = (...texts: string[]) => readRollouts(texts.map(write), OPTIONS);
  const format = fc.constantFrom(...(Object.keys(WRITERS) as (keyof typeof WRITERS)[]));

  test("give the same in any order", async () => {
    await fc.assert(
      fc.asyncProperty(writtenRun("air"), writtenRun("shop"), writtenRun("air"), format, format, async (a, b, c, one, other) => {
        const paths = [WRITERS[one](a), WRITERS[other](b), WRITERS[one](c)].map(write);
        const [files, turned] = [await readRollouts(paths, OPTIONS), await readRollouts(paths.toReversed(), OPTIONS)];
        expect(figures(turned)).toEqual(figures(files));
        expect([turned.reading, turned.bufferSha256]).toEqual([files.reading, files.bufferSha256]);
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test("count once beside a copy in another Unicode form", async () => {
    const line = (form: "NFC" | "NFD", outcome: number) =>
      JSON.stringify({
        task_id: "a",
        outcome,
        instruction: "Zürich, s’il vous plaît".normalize(form),
        golden_actions: [{ name: "book", arguments: { city: "Zürich".normalize(form) } }],
        messages: [
          { role: "user", content: "à Zürich".normalize(form) },
          { role: "assistant", tool_calls: [{ id: "1", function: { name: "book", arguments: { city: "Zürich".normalize(form) } } }] },
          { role: "tool", tool_call_id: "1", content: "gebucht für Zoë".normalize(form) },
        ],
      });
    const files = (["NFC", "NFD"] as const).map((form) => write(`${line(form, 1)}\n${line(form, 0)}\n`));
    const { rollouts, reading } = await readRollouts(files, { catalog: CATALOG, tasks: null });
    expect({ rollouts: rollouts.length, repeats: reading.repeats }).toEqual({ rollouts: 2, repeats: 2 });
    expect(new Set(rollouts.map(({ task }) => task.id)).size).toBe(1);
  });

  test.each(Object.entries(COPIES))("count once beside a copy %s, whole or in part, and say so", async (_, copy) => {
    await fc.assert(
      fc.asyncProperty(writtenRun("air"), format, fc.nat(), async (run, form, cut) => {
        const alone = await read(WRITERS[form](run));
        const part = { ...run, rollouts: run.rollouts.slice(0, 1 + (cut % run.rollouts.length)) };
        for (const again of [run, part]) {
          const both = await read(WRITERS[form](run), copy(again, WRITERS[form](again)));
          expect(figures(both)).toEqual(figures(alone));
          expect(both.reading.repeats).toBe(again.rollouts.length);
          expect(both.rollouts).toHaveLength(run.rollouts.length);
        }
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test("of two domains have the groups and the pairs of both, with equal ids and in any format", async () => {
    await fc.assert(
      fc.asyncProperty(writtenRun("air"), writtenRun("shop"), format, format, async (air, shop, one, other) => {
        const texts = [WRITERS[one](air), WRITERS[other](shop)] as const;
        const [a, b, both] = [await read(texts[0]), await read(texts[1]), await read(...texts)];
        const [first, second] = [countPairs(a), countPairs(b)];
        expect(countPairs(both)).toEqual({ groups: first.groups + second.groups, pairs: first.pairs + second.pairs });
        expect(both.reading.repeats).toBe(0);
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test("of two domains stay apart in one exported file, which is known to be a copy of both", async () => {
    await fc.assert(
      fc.asyncProperty(
        writtenRun("air"),
        writtenRun("shop"),
        format,
        format,
        fc.constantFrom("tau-bench", "tau2"),
        async (air, shop, one, other, out) => {
          const texts = [WRITERS[one](air), WRITERS[other](shop)] as const;
          const both = await read(...texts);
          const merged = dumpsIndented(EXPORTS[out as keyof typeof EXPORTS](both.rollouts, CONTEXT));
          expect(countPairs(await read(merged))).toEqual(countPairs(both));
          const again = await read(...texts, merged);
          expect(figures(again)).toEqual(figures(both));
          expect(again.reading.repeats).toBe(both.rollouts.length);
        },
      ),
      { numRuns: NUM_RUNS },
    );
  });

  test("of two policies are said, and read by policy as if each were alone", async () => {
    const bench = (run: WrittenRun) => asTauBench(run);
    await fc.assert(
      fc.asyncProperty(writtenRun("air"), writtenRun("air"), async (a, b) => {
        const other = { ...b, rollouts: b.rollouts.map((one) => ({ ...one, words: `${one.words}!` })) };
        const files = await read(bench(a), bench(other));
        const parts = [...files.byPolicy().values()];
        expect(Object.values(files.reading.policies)).toEqual([a.rollouts.length, b.rollouts.length]);
        expect(parts.map(figures)).toEqual([figures(await read(bench(a))), figures(await read(bench(other)))]);
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test("of two policies that say the same, word for word, are two rollouts where the lines name the policies", async () => {
    const run = { domain: "air", rollouts: [{ task: 0, trial: 0, isPass: true, words: "yes" }] };
    const { rollouts, reading } = await read(asLines(run, { policy: "a" }), asLines(run, { policy: "b" }));
    expect([rollouts.length, reading.repeats, reading.policies]).toEqual([2, 0, { a: 1, b: 1 }]);
  });

  test("of versions and splits of a task stay apart: another golden action, another set, another instruction", async () => {
    const run = { domain: "air", rollouts: [{ task: 0, trial: 0, isPass: true, words: "yes" }] };
    const action = { golden_actions: [{ name: "cancel_reservation", arguments: { reservation_id: "NEW" } }] };
    const names = async (...more: object[]) =>
      (await read(...more.map((one) => asLines(run, one)))).rollouts.map(({ task }) => task.id.replace(/[0-9a-f]{6}$/, "…")).sort();
    expect(await names({}, action)).toEqual(["0#…", "0#…"]);
    expect(await names({ task_set: "dev" }, { task_set: "test" })).toEqual(["dev/0", "test/0"]);
    expect(await names({ instruction: "one" }, { instruction: "two" })).toEqual(["0#…", "0#…"]);
    expect(await names({ policy: "a" }, { policy: "b" })).toEqual(["0", "0"]);
  });

  test("that are told by their id alone are one task, and that is noted", async () => {
    const line = (words: string) => JSON.stringify({ task_id: "0", outcome: 1, messages: [{ role: "user", content: words }] });
    const { rollouts, reading } = await read(line("a"), line("b"));
    expect(rollouts.map(({ task }) => task.id)).toEqual(["0", "0"]);
    expect(reading.notes).toMatchObject({ "tasks of several files that only their id makes one: name task_set": 1 });
  });
});

describe("failed entries", () => {
  const run: WrittenRun = {
    domain: "air",
    rollouts: [0, 1].map((trial) => ({ task: 0, trial, isPass: trial === 0, words: `trial ${trial}` })),
  };
  const excludedOf = (text: string) => importRolloutText("file", text, CATALOG).reading.excluded;

  test.each([
    ["an error, however far the conversation came", { info: { error: "boom", task: {} } }, "ended by an error of the runner"],
    ["no reward", { reward: null }, "without a reward"],
    ["NaN for a reward", { reward: Number.NaN }, "with NaN or Infinity for a reward"],
    ["no conversation", { traj: [] }, "without a conversation"],
    ["no task", { info: {} }, "of a task that the file does not tell"],
  ])("of tau-bench: %s", (_, change, why) => {
    const [first, second] = JSON.parse(asTauBench(run)) as [object, object];
    const failed = JSON.stringify({ ...first, ...change }).replace(
      '"reward":null',
      Number.isNaN((change as { reward?: number }).reward) ? '"reward":NaN' : '"reward":null',
    );
    expect(excludedOf(`[${failed},${JSON.stringify(second)}]`)).toEqual({ [why]: 1 });
  });

  test.each([
    ["user_stop", "user-stop"],
    ["TerminationReason.USER_STOP", "user-stop"],
    ["timeout", "turn-cap"],
    ["max_steps", "turn-cap"],
    ["too_many_errors", "error"],
    ["user_error", null],
    ["infrastructure_error", null],
    ["unexpected_error", null],
    ["something_new", null],
  ])("of tau2: %s is an ending of the conversation, or left out by its name", (reason, stop) => {
    const simulations = run.rollouts.map((rollout) => ({
      ...tau2Simulation("air", rollout),
      ...(rollout.trial === 0 ? { termination_reason: reason } : {}),
    }));
    const { rollouts, reading } = importRolloutText("file", JSON.stringify({ ...tau2Head(run), simulations }), CATALOG);
    if (stop !== null) expect([rollouts.length, rollouts[0]?.trajectory.outcome.stopReason]).toEqual([2, stop]);
    else expect([rollouts.length, Object.keys(reading.excluded).join()]).toEqual([1, expect.stringContaining(`ended by ${reason}`)]);
  });

  test.each(Object.entries(WRITERS))("a file of %s that was cut off gives what was whole, at every length", (_, writer) => {
    const text = writer(run);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: text.length - 1 }), (length) => {
        const { rollouts, reading } = importRolloutText("file", text.slice(0, length), CATALOG);
        expect(rollouts.length + (reading.excluded["cut off where the writer stopped"] ?? 0)).toBeGreaterThan(0);
        expect(rollouts.length).toBeLessThanOrEqual(2);
      }),
      { numRuns: 60 },
    );
  });

  test("NaN is taken where nobody reads it, given back by an export, and named with its line where it is read", () => {
    const withCost = asTauBench(run).replace('"info": {', '"info": { "user_cost": NaN,');
    const { rollouts } = importRolloutText("file", withCost, CATALOG);
    expect(rollouts).toHaveLength(2);
    expect(dumpsIndented(exportTauBench(rollouts, CONTEXT))).toContain('"user_cost": NaN');
    const line = withCost.split("\n").findIndex((one) => one.includes('"trial": 1')) + 1;
    expect(() => excludedOf(withCost.replace('"trial": 1', '"trial": NaN'))).toThrowError(new RegExp(`NaN on line ${line}: trial`));
  });

  test("in a run and its copy count once", async () => {
    const folder = temporaryFolder();
    const [first] = JSON.parse(asTauBench(run)) as [object];
    const paths = ["a.json", "b.json"].map((name, index) => {
      writeFileSync(join(folder, name), JSON.stringify([first, { task_id: 1, reward: 0, info: { error: "boom" }, traj: [] }], null, index));
      return join(folder, name);
    });
    expect((await readRollouts(paths, OPTIONS)).reading).toMatchObject({
      rollouts: 1,
      repeats: 1,
      excluded: { "ended by an error of the runner": 1 },
    });
  });
});

describe("folders and globs", () => {
  const run: WrittenRun = { domain: "air", rollouts: [0, 1].map((trial) => ({ task: 0, trial, isPass: trial === 0, words: "alike" })) };

  function tau2Folder(): string {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "simulations"));
    const index = [...run.rollouts.map((_, trial) => ({ id: `s${trial}` })), { id: "gone" }];
    writeFileSync(join(folder, "results.json"), JSON.stringify({ ...tau2Head(run), simulation_index: index }));
    for (const rollout of run.rollouts)
      writeFileSync(join(folder, "simulations", `s${rollout.trial}.json`), JSON.stringify(tau2Simulation("air", rollout), null, 2));
    return folder;
  }

  test("a tau2 run in a folder is read from the folder, from its results.json and from its simulations, and each counts once", async () => {
    const folder = tau2Folder();
    const simulations = run.rollouts.map(({ trial }) => join(folder, "simulations", `s${trial}.json`));
    const missing = { "listed by a tau2 run whose file is missing": 1 };
    for (const named of [[folder], [join(folder, "results.json")]])
      expect((await readRollouts(named, OPTIONS)).reading).toMatchObject({ rollouts: 2, repeats: 0, excluded: missing });
    expect((await readRollouts(simulations, OPTIONS)).reading).toMatchObject({ rollouts: 2, repeats: 0, excluded: {} });
    expect((await readRollouts([folder, ...simulations], OPTIONS)).reading).toMatchObject({ rollouts: 2, repeats: 2 });
    const whole = join(folder, "..", `${folder.split("/").at(-1)}.whole.json`);
    writeFileSync(whole, asTau2(run));
    expect((await readRollouts([folder, whole], OPTIONS)).reading).toMatchObject({ rollouts: 2, repeats: 2 });
  });

  test("a file that cannot be read is named and stops nothing, unless it is the only one", async () => {
    const folder = temporaryFolder();
    const broken = {
      "notes.json": '{"a": 1}',
      "half.jsonl": "{]",
      "empty.json": "",
      "zip.json": "PK\u0003\u0004",
      "schema.jsonl": '{"task_id": "a", "outcome": 2, "messages": []}',
    };
    for (const [name, text] of Object.entries(broken)) writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, "none-yet.json"), JSON.stringify({ ...tau2Head(run), simulations: [] }));
    writeFileSync(join(folder, "good.json"), asTauBench(run));
    const { reading } = await readRollouts([folder], OPTIONS);
    expect(reading).toMatchObject({ rollouts: 2, files: 7 });
    expect(Object.keys(reading.unread ?? {}).map((path) => path.split("/").at(-1))).toEqual(
      ["empty.json", "half.jsonl", "notes.json", "schema.jsonl", "zip.json"].filter((name) => name !== "schema.jsonl"),
    );
    for (const name of ["notes.json", "half.jsonl", "empty.json", "zip.json", "none-yet.json"])
      await expect(readRollouts([join(folder, name)], OPTIONS)).rejects.toMatchObject({ code: "contract.invalid" });
    await expect(readRollouts([join(folder, "good.json"), join(folder, "absent.json")], OPTIONS)).rejects.toMatchObject({
      code: "config.file-missing",
    });
  });

  test("a file longer than the longest text is read entry by entry; one entry may not be", async () => {
    const folder = temporaryFolder();
    for (const [name, writer] of Object.entries(WRITERS)) {
      const long = {
        domain: "air",
        rollouts: Array.from({ length: 40 }, (_, trial) => ({ task: 0, trial, isPass: trial % 2 === 0, words: `trial ${trial}` })),
      };
      const path = join(folder, `${name}.json`);
      writeFileSync(path, writer(long));
      const maxPiece = 2_000;
      expect(writer(long).length).toBeGreaterThan(5 * maxPiece);
      expect((await readRollouts([path], { ...OPTIONS, maxPiece })).rollouts).toHaveLength(40);
      await expect(readRollouts([path], { ...OPTIONS, maxPiece: 300 })).rejects.toThrowError(/line \d+: .*more than 300 bytes/);
    }
  });
});

describe.skipIf(!hasForeignInputs)("the shapes of public files", () => {
  const readForeign = (...names: string[]) =>
    readRollouts(
      names.map((name) => join(FOREIGN_INPUTS, name)),
      OPTIONS,
    );

  test.each([
    [["00-base-tau.json", "03-shop-same-ids.json"], { groups: 4, pairs: 4 }],
    [["00-base-tau2.json", "20-tau2-retail.json"], { groups: 4, pairs: 4 }],
    [["00-base-tau.json", "00-base-tau.json"], { groups: 2, pairs: 2 }],
    [["01-nan-cost-tau.json"], { groups: 2, pairs: 2 }],
    [["01-nan-cost-tau2.json"], { groups: 2, pairs: 2 }],
    [["01-nan-cost-tau2-oneline.json"], { groups: 2, pairs: 2 }],
    [["06-error-with-partial-traj.json"], { groups: 2, pairs: 1 }],
    [["14-truncated.json"], { groups: 2, pairs: 1 }],
    [["14-truncated.jsonl"], { groups: 2, pairs: 1 }],
    [["07-term-timeout.json"], { groups: 2, pairs: 2 }],
    [["19-dir"], { groups: 1, pairs: 0 }],
    [["19-dir/results.json"], { groups: 1, pairs: 0 }],
    [["19-dir/simulations/s1.json"], { groups: 1, pairs: 0 }],
  ])("%s", async (names, expected) => {
    expect(countPairs(await readForeign(...names))).toEqual(expected);
  });

  test.each([
    ["09-outcome-str.jsonl", /line 2: outcome: wanted a number from 0 to 1, true, false or null, got "1"/],
    ["08-reward-instead.jsonl", /outcome: it is missing, wanted a number from 0 to 1, true, false or null; unknown key reward/],
    ["11-id-int.jsonl", /tool_calls\.0\.id: wanted text, got 7/],
    ["10-tool-content-dict.jsonl", /messages\.3\.content: wanted text.*list.*got an object/],
  ])("%s is told what is allowed", async (name, message) => {
    await expect(readForeign(name)).rejects.toThrowError(message);
  });

  test("a graded outcome is kept, is no pass, and is counted", async () => {
    const { rollouts, reading } = await readForeign("09-outcome-half.jsonl");
    expect(rollouts.map(({ trajectory }) => trajectory.outcome).filter(({ reward }) => reward === 0.5)).toEqual(
      [0, 1].map(() => expect.objectContaining({ type: "task_failed", passed: false })),
    );
    expect(reading.notes["rewards between 0 and 1: kept, counted as failed"]).toBe(2);
  });
});
