import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exportJsonl } from "#adapters/rollout-files/export-jsonl.ts";
import { argumentsOf, type ExportContext, exportTauBench } from "#adapters/rollout-files/export-tau-bench.ts";
import { exportTau2 } from "#adapters/rollout-files/export-tau2.ts";
import type { ImportedRollout } from "#adapters/rollout-files/imported-rollouts.ts";
import { importRolloutText } from "#adapters/rollout-files/read-rollouts.ts";
import type { Task, ToldTask } from "#contracts/task.ts";
import { StopReason, type ToolCall, Trajectory, type Turn } from "#contracts/trajectory.ts";
import { labelRollout } from "#core/reward/label-rollout.ts";
import { passesIdle } from "#core/reward/passes-idle.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";
import { dumps } from "#environments/tau/python/format.ts";
import { dumpsIndented } from "#environments/tau/python/indented.ts";
import { parseJson } from "#environments/tau/python/parse-json.ts";
import { PyFloat, type PyValue } from "#environments/tau/python/values.ts";
import { present } from "../../../fixtures/present.ts";

const CATALOG = createToolCatalog({});
const CONTEXT: ExportContext = { systemPrompt: "the policy", goldenHash: () => "a hash" };
const FORMATS = [
  ["tau-bench", exportTauBench],
  ["tau2", exportTau2],
] as const;

const text = fc.string({ unit: "binary", maxLength: 12 });
const json: fc.Arbitrary<PyValue> = fc.letrec<{ value: PyValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    fc.constant(null),
    fc.boolean(),
    text,
    fc.integer(),
    fc.bigInt({ min: 2n ** 60n, max: 2n ** 70n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => new PyFloat(value)),
    fc.array(tie("value"), { maxLength: 3 }),
  ),
})).value;
/** As Python writes them: `1.0`, `1e+16` and ints beyond 2^53 included. */
const argumentsJson = fc.dictionary(text, json, { maxKeys: 3 }).map((entries) => {
  const pairs = Object.entries(entries).map(([key, value]) => `${dumps(key)}: ${dumps(value)}`);
  return `{${pairs.join(", ")}}`;
});

const toolCall = (id: string): fc.Arbitrary<ToolCall> =>
  fc
    .record({ name: fc.constantFrom("think", "cancel_reservation", "nope"), argumentsJson, result: fc.option(text) })
    .map(({ result, ...call }) => ({ id, ...call, result, isExecuted: result !== null, isError: /^error\b/i.test(result ?? "") }));

const turn = (index: number): fc.Arbitrary<Turn> =>
  fc
    .record({
      content: fc.option(text.filter((value) => value !== "")),
      calls: fc.tuple(toolCall("a"), toolCall("b")),
      numCalls: fc.constantFrom(0, 1, 2),
      userReply: fc.option(text),
    })
    .map(({ content, calls, numCalls, userReply }) => ({
      index,
      content,
      toolCalls: calls.slice(0, numCalls),
      userReply: numCalls > 0 ? null : userReply,
      finishReason: numCalls > 0 ? ("tool_calls" as const) : ("stop" as const),
      stateHash: null,
    }));

const trajectory: fc.Arbitrary<Trajectory> = fc
  .record({
    taskId: fc.constantFrom("airline-07", "retail-test-12", "cancel-0001"),
    firstUserMessage: text,
    turns: fc.nat(4).chain((length) => fc.tuple(...Array.from({ length }, (_, index) => turn(index)))),
    reward: fc.constantFrom(0, 0.25, 1),
    passed: fc.boolean(),
    stopReason: fc.constantFrom(...StopReason.options.filter((reason) => reason !== "error")),
    isDatabaseMatch: fc.option(fc.boolean()),
    detail: fc.option(text),
  })
  .map(({ reward, passed, stopReason, isDatabaseMatch, detail, ...rest }) => ({
    schemaVersion: 2 as const,
    trial: 0,
    environment: "airline",
    policy: { name: "p", hash: "0".repeat(64), format: "compact" },
    simulator: { id: "scripted", hash: "1".repeat(64) },
    seed: "s",
    rows: [],
    outcome: { type: passed ? "ok" : "task_failed", reward, passed, parts: { half: reward / 2 }, stopReason, isDatabaseMatch, detail },
    usage: {
      promptTokens: 1,
      completionTokens: 2,
      simulatorPromptTokens: 3,
      simulatorCompletionTokens: 4,
      modelCalls: 5,
      simulatorCalls: 6,
    },
    ...rest,
  }));

const taskOf = ({ taskId }: Trajectory): Task => ({
  schemaVersion: 1,
  id: taskId,
  environment: "airline",
  userId: "mia_li_3668",
  instruction: "You are mia_li_3668.",
  goldenActions: [{ name: "cancel_reservation", argumentsJson: '{"amount": 100.0}' }],
  outputs: ["1,286"],
  agenda: null,
  kind: "imported",
  difficulty: { numWrites: 1, numReads: 0 },
});

const rolloutOf = (one: Trajectory): ImportedRollout => ({ task: taskOf(one), trajectory: one, systemPrompt: null, origin: null });

describe.each(FORMATS)("rollouts as a result file of %s", (_, exportTo) => {
  test("are read back as they were: words, calls with ints and floats apart, results, outcome and where they come from", () => {
    fc.assert(
      fc.property(trajectory, (one) => {
        const file = dumpsIndented(exportTo([rolloutOf(Trajectory.parse(one))], CONTEXT));
        const { rollouts, reading } = importRolloutText("file.json", file, CATALOG);
        expect(reading.excluded).toEqual({});
        expect(rollouts[0]?.trajectory).toEqual(one);
        const { userId, instruction, goldenActions, outputs } = present(rollouts[0]).task;
        expect({ userId, instruction, goldenActions, outputs }).toMatchObject({
          userId: "mia_li_3668",
          instruction: "You are mia_li_3668.",
          goldenActions: taskOf(one).goldenActions,
          outputs: ["1,286"],
        });
      }),
    );
  });

  test("are written again byte for byte, fields that nobody here knows included", () => {
    fc.assert(
      fc.property(trajectory, json, (one, unknown) => {
        const file = addEverywhere(exportTo([rolloutOf(one)], CONTEXT), "unknown_field", unknown);
        const { rollouts } = importRolloutText("file.json", dumpsIndented(file), CATALOG);
        expect(dumpsIndented(exportTo(rollouts, CONTEXT))).toBe(dumpsIndented(file));
      }),
    );
  });
});

/** Tasks as files tell them: in part, with golden arguments that are no JSON, of other rewards. */
const toldTask: fc.Arbitrary<Partial<ToldTask>> = fc
  .record({
    goldenActions: fc.option(
      fc.array(
        fc.record({
          name: fc.constantFrom("think", "cancel_reservation", "close_ticket"),
          argumentsJson: fc.oneof(
            argumentsJson,
            text.map((words) => `by ${words}`),
          ),
        }),
        {
          maxLength: 3,
        },
      ),
    ),
    outputs: fc.option(fc.array(text, { maxLength: 2 })),
    userId: fc.constantFrom("", "mia_li_3668"),
    instruction: fc.constantFrom("", "You are somebody.", "Cancel it."),
    alsoGradedBy: fc.option(fc.constantFrom("NL_ASSERTION", "ACTION and no database")),
  })
  .map(({ alsoGradedBy, ...told }) => ({ ...told, difficulty: null, ...(alsoGradedBy === null ? {} : { alsoGradedBy }) }));

test("what is not told of a task stays untold through any chain of formats, and what is told stays", () => {
  const writers = FORMATS.map(
    ([, exportTo]) =>
      (rollouts: readonly ImportedRollout[]) =>
        dumpsIndented(exportTo(rollouts, CONTEXT)),
  );
  const jsonl = (rollouts: readonly ImportedRollout[]) => exportJsonl(rollouts, CONTEXT);
  const chain = fc.array(fc.constantFrom(...writers, jsonl), { minLength: 1, maxLength: 4 });
  const known = ({ userId, instruction, goldenActions, outputs, alsoGradedBy = null }: ToldTask) => ({
    userId,
    instruction,
    goldenActions: goldenActions?.map(({ name, argumentsJson }) => ({ name, argumentsJson: spaced(argumentsJson) })) ?? null,
    outputs,
    alsoGradedBy,
  });
  fc.assert(
    fc.property(trajectory, toldTask, chain, (one, told, formats) => {
      const first: ImportedRollout = { ...rolloutOf(one), task: { ...taskOf(one), ...told } };
      let rollouts: readonly ImportedRollout[] = [first];
      for (const written of formats) rollouts = importRolloutText("file.json", written(rollouts), CATALOG).rollouts;
      const { task, trajectory: last } = present(rollouts[0]);
      expect(known(task)).toEqual(known(first.task));
      expect(passesIdle(task, CATALOG)).toBe(passesIdle(first.task, CATALOG));
      const tiers = (at: ImportedRollout) => labelRollout(at.trajectory, at.task, "finer/1", CATALOG).turns.map(({ tier }) => tier);
      expect(tiers({ ...first, task, trajectory: last })).toEqual(tiers(first));
    }),
  );
});

test("a task that one rollout tells and another does not is written as it is told", () => {
  const [one] = fc.sample(trajectory, { seed: 7, numRuns: 1 });
  const rollout = rolloutOf(present(one));
  const untold = {
    ...rollout,
    task: { ...rollout.task, goldenActions: null, difficulty: null },
    trajectory: { ...rollout.trajectory, trial: 1 },
  };
  const { rollouts } = importRolloutText("file.json", dumps(exportTau2([untold, rollout], CONTEXT)), CATALOG);
  expect(rollouts.map(({ task }) => task.goldenActions)).toEqual([rollout.task.goldenActions, rollout.task.goldenActions]);
});

/** As Python writes it, where it is a JSON object. */
function spaced(argumentsText: string): string {
  const value = argumentsOf(argumentsText);
  return value === null ? argumentsText : dumps(value);
}

/** The value with one more key in its entries. */
function addEverywhere(value: PyValue, key: string, item: PyValue): PyValue {
  const entry = (one: PyValue) => parseJson(dumps(one).replace(/^\{/, () => `{${dumps(key)}: ${dumps(item)}, `));
  if (Array.isArray(value)) return value.map(entry);
  const results = entry(value) as ReturnType<typeof parseJson> & {
    get(name: string): PyValue;
    with(name: string, value: PyValue): PyValue;
  };
  return results.with("simulations", (results.get("simulations") as readonly PyValue[]).map(entry));
}

describe("a result file of tau-bench", () => {
  const sample = (change: Partial<Trajectory> = {}) => ({ ...present(fc.sample(trajectory, { seed: 7, numRuns: 1 })[0]), ...change });
  const entryOf = (one: Trajectory) => JSON.parse(dumps(exportTauBench([rolloutOf(one)], CONTEXT)))[0];

  test("numbers the benchmark's tasks as the benchmark does, and keeps other ids", () => {
    const ids = ["airline-07", "retail-test-112", "cancel-0001", "12"].map((taskId) => entryOf(sample({ taskId })).task_id);
    expect(ids).toEqual([7, 112, "cancel-0001", 12]);
  });

  test("keeps all ids when two tasks would get one number", () => {
    const rollouts = ["retail-test-07", "retail-train-07"].map((taskId) => rolloutOf(sample({ taskId })));
    expect(JSON.parse(dumps(exportTauBench(rollouts, CONTEXT))).map((entry: { task_id: unknown }) => entry.task_id)).toEqual([
      "retail-test-07",
      "retail-train-07",
    ]);
  });

  test("grades only what ended by itself", () => {
    const outcome = (stopReason: StopReason) => ({ ...sample().outcome, stopReason, reward: 0 as const });
    expect(entryOf(sample({ outcome: outcome("turn-cap") })).info.reward_info).toBeNull();
    expect(entryOf(sample({ outcome: outcome("user-stop") })).info.reward_info).toMatchObject({ reward: 0, info: { r_outputs: 0 } });
  });
});
