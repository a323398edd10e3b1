import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exportJsonl } from "#adapters/rollout-files/export-jsonl.ts";
import { exportTauBench } from "#adapters/rollout-files/export-tau-bench.ts";
import { exportTau2 } from "#adapters/rollout-files/export-tau2.ts";
import type { ImportedRollout } from "#adapters/rollout-files/imported-rollouts.ts";
import { importRolloutText } from "#adapters/rollout-files/read-rollouts.ts";
import { labelTrajectory } from "#core/reward/label-trajectory.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";
import { dumps } from "#environments/tau/python/format.ts";
import { dumpsIndented } from "#environments/tau/python/indented.ts";
import { parseEither } from "#environments/tau/python/parse-literal.ts";
import { FORMS, type Message, type Step, steps, words } from "../../../support/written-conversations.ts";

const CATALOG = createToolCatalog({});
const CONTEXT = { systemPrompt: null, goldenHash: () => null };
const GOLDEN = { name: "cancel_reservation", arguments: { reservation_id: "00123" } };
/** Compared in a part of its arguments, or by its name alone. */
const COMPARED = [["reservation_id"], ["note"], []].map((compare_args) => ({ ...GOLDEN, compare_args }));
const USER = "mia_li_3668";
const INSTRUCTION = `You are ${USER}.`;

interface Written {
  readonly task: number;
  readonly outcome: 0 | 1;
  readonly messages: readonly Message[];
}

const tool = (result: string, id: string): Message => ({ role: "tool", tool_call_id: id, content: result });
/** What else stands in conversations, between the steps of any form. */
const interlude: fc.Arbitrary<readonly Message[]> = fc.oneof(
  { weight: 4, arbitrary: fc.constant([]) },
  words.map((content): Message[] => [{ role: "user", content }]),
  words.map((content): Message[] => [{ role: "assistant", content }]),
  words.map((content): Message[] => [
    { role: "system", content },
    { role: "user", content },
  ]),
);
/** Calls whose results are missing, late or parallel in the other order; only where calls have ids. */
const native: fc.Arbitrary<readonly Message[]> = fc
  .record({ text: words, answered: fc.subarray(["p", "q"]), isLate: fc.boolean() })
  .map(({ text, answered, isLate }) => {
    const calls = ["p", "q"].map((id) => ({ id, function: { name: `tool_${id}`, arguments: id === "p" ? "" : "not an object" } }));
    const between = isLate ? [{ role: "assistant", content: text }] : [];
    return [
      { role: "assistant", content: null, reasoning_content: text, tool_calls: calls },
      ...between,
      ...answered.toReversed().map((id) => tool(text, id)),
    ];
  });

const conversation: fc.Arbitrary<readonly Message[]> = fc.constantFrom(...FORMS).chain((form) =>
  fc
    .record({
      opening: fc.constantFrom<readonly Message[]>(
        [{ role: "user", content: "hello" }],
        [],
        [
          { role: "system", content: "policy" },
          { role: "user", content: "hello" },
        ],
      ),
      parts: fc.array(fc.tuple(steps(form.isParallel), interlude, native), { minLength: 1, maxLength: 2 }),
    })
    .map(({ opening, parts }) => {
      const isNative = form.reader === "tool-calls";
      let index = 0;
      const write = (step: Step) => form.write(step, index++);
      return [...opening, ...parts.flatMap(([all, between, calls]) => [...all.flatMap(write), ...between, ...(isNative ? calls : [])])];
    }),
);

const written: fc.Arbitrary<Written[]> = fc.array(
  fc.record({ task: fc.nat(2), outcome: fc.constantFrom(0 as const, 1 as const), messages: conversation }),
  { minLength: 1, maxLength: 4 },
);

/** What the source tells of its tasks; null: nothing. */
interface Told {
  readonly golden: readonly (typeof GOLDEN & { readonly compare_args?: readonly string[] })[] | null;
  readonly outputs: readonly string[] | null;
}
const told: fc.Arbitrary<Told> = fc.record({
  golden: fc.constantFrom([GOLDEN], COMPARED, [], null),
  outputs: fc.constantFrom(["7"], [], null),
});

/** Numbers the trials of every task. */
function numbered(all: readonly Written[]) {
  return all.map((one, index) => ({ ...one, trial: all.slice(0, index).filter(({ task }) => task === one.task).length }));
}

const SOURCES: Readonly<Record<string, (all: readonly Written[], told: Told) => string>> = {
  jsonl: (all, { golden, outputs }) =>
    numbered(all)
      .map(({ task, outcome, messages, trial }) =>
        JSON.stringify({
          task_id: `${task}`,
          trial,
          outcome,
          messages,
          user_id: USER,
          instruction: INSTRUCTION,
          golden_actions: golden,
          outputs,
        }),
      )
      .join("\n"),
  "tau-bench": (all, { golden, outputs }) =>
    JSON.stringify(
      numbered(all).map(({ task, outcome, messages, trial }) => ({
        task_id: task,
        trial,
        reward: outcome,
        info: {
          task: {
            user_id: USER,
            instruction: INSTRUCTION,
            outputs,
            actions: golden?.map(({ arguments: kwargs, ...action }) => ({ ...action, kwargs })) ?? null,
          },
        },
        traj: messages,
      })),
    ),
  tau2: (all, { golden, outputs }) =>
    JSON.stringify({
      tasks: [0, 1, 2].map((id) => ({
        id: `${id}`,
        user_scenario: { persona: null, instructions: INSTRUCTION },
        evaluation_criteria: { actions: golden, communicate_info: outputs },
      })),
      simulations: numbered(all).map(({ task, outcome, messages, trial }) => ({
        task_id: `${task}`,
        trial,
        reward_info: { reward: outcome },
        termination_reason: "user_stop",
        messages,
      })),
    }),
};

const EXPORTS: Readonly<Record<string, (rollouts: readonly ImportedRollout[]) => string>> = {
  jsonl: (rollouts) => exportJsonl(rollouts, CONTEXT),
  "tau-bench": (rollouts) => dumpsIndented(exportTauBench(rollouts, CONTEXT)),
  tau2: (rollouts) => dumpsIndented(exportTau2(rollouts, CONTEXT)),
};

const read = (text: string) => importRolloutText("file.json", text, CATALOG);

/** All that is known of a rollout. Objects of arguments are compared as values: tau2 has no place for the spaces between them. */
function facts({ task, trajectory }: ImportedRollout) {
  const normal = (text: string) => {
    const value = parseEither(text)?.value;
    return value === undefined ? text : dumps(value);
  };
  const turns = trajectory.turns.map((turn) => ({
    ...turn,
    toolCalls: turn.toolCalls.map((call) => ({ ...call, argumentsJson: normal(call.argumentsJson) })),
  }));
  const goldenActions = task.goldenActions?.map((action) => ({ ...action, argumentsJson: normal(action.argumentsJson) }));
  return {
    task: { ...task, goldenActions },
    trajectory: { ...trajectory, turns },
    tiers: labelTrajectory(trajectory, task, "finer/1", CATALOG),
  };
}

/** Notes on what a rollout is, which stay as long as it is: nothing is decided a second time. */
const STANDING: ReadonlySet<string> = new Set([
  "calls with arguments that are no object",
  "turns of calls without any result: taken as not run",
  "calls without a result beside calls that have one: taken as not run",
  "conversations in which the agent has no turn",
  "messages of the agent without words or calls",
  "messages of the agent that are thought alone",
  "messages of the user that look like a result: taken as words",
]);

describe("digits and schemas", () => {
  const exact = (called: string) =>
    `{"task_id": "t", "outcome": 1, "golden_actions": [{"name": "pay", "arguments": {"amount": 0.12345678901234567890, "id": "007"}}],
      "messages": [{"role": "user", "content": "go"},
                   {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "pay", "arguments": ${called}}}]},
                   {"role": "tool", "tool_call_id": "a", "content": "ok"}]}`.replaceAll("\n", " ");
  const tierOf = (text: string) =>
    read(text).rollouts.map(({ task, trajectory }) => labelTrajectory(trajectory, task, "finer/1", CATALOG)[0]?.tier);

  test.each(Object.entries(EXPORTS))("%s keeps decimals of 20 digits and ids as text, so that tiers stay", (_, write) => {
    for (const [called, tier] of [
      ['{"amount": 0.12345678901234567890, "id": "007"}', "gold_read"],
      ['{"amount": 0.12345678901234567891, "id": "007"}', "soft_read"],
      ['"{\\"amount\\": 0.12345678901234567890, \\"id\\": \\"007\\"}"', "gold_read"],
      ['{"amount": 0.12345678901234567890, "id": 7}', "soft_read"],
    ] as const) {
      expect(tierOf(exact(called))).toEqual([tier]);
      expect(tierOf(write(read(exact(called)).rollouts))).toEqual([tier]);
    }
  });

  test("JSONL keeps the schemas that a line brings along, and gets those of the environment", () => {
    const tools = [
      { type: "function" as const, function: { name: "pay", description: "", parameters: { properties: { id: { type: "integer" } } } } },
    ];
    const line = exact('{"id": 7}');
    const own = read(`${line.slice(0, -1)}, "tools": ${JSON.stringify(tools)}}`).rollouts;
    expect(read(exportJsonl(own, CONTEXT)).rollouts.map((rollout) => rollout.tools)).toEqual([tools]);
    const plain = read(line).rollouts;
    expect(read(exportJsonl(plain, CONTEXT)).rollouts.map((rollout) => rollout.tools)).toEqual([undefined]);
    expect(read(exportJsonl(plain, { ...CONTEXT, tools })).rollouts.map((rollout) => rollout.tools)).toEqual([tools]);
  });
});

describe("rollouts of any form and shape, from a file of any format", () => {
  test.each(Object.entries(SOURCES))(
    "%s: keep task, trial, words, calls, results, outcome, tiers and what is unknown through all formats, in any order",
    (_, write) => {
      fc.assert(
        fc.property(written, told, fc.shuffledSubarray(Object.keys(EXPORTS), { minLength: 1 }), (all, known, formats) => {
          const first = read(write(all, known));
          const numGolden = first.rollouts.map(({ task }) => task.goldenActions?.length ?? null);
          expect(new Set(numGolden)).toEqual(new Set([known.golden?.length ?? null]));
          expect(first.reading.excluded).toEqual({});
          expect(first.rollouts).toHaveLength(all.length);
          let rollouts = first.rollouts;
          for (const format of formats) {
            const again = read(EXPORTS[format]?.(rollouts.map((one) => ({ ...one, origin: null }))) ?? "");
            expect(again.rollouts.map(facts)).toEqual(first.rollouts.map(facts));
            rollouts = again.rollouts;
            // What had to be decided was decided once.
            const settled = Object.keys(again.reading.notes).filter((note) => !STANDING.has(note));
            expect(settled).toEqual([]);
          }
        }),
      );
    },
  );

  test.each(Object.entries(SOURCES))("%s: keep their groups", (_, write) => {
    fc.assert(
      fc.property(written, told, fc.constantFrom(...Object.keys(EXPORTS)), (all, known, format) => {
        const groups = ({ rollouts }: ReturnType<typeof read>) =>
          rollouts.map(({ task, trajectory }) => [task.environment, task.id, trajectory.trial, trajectory.outcome.reward]);
        const first = read(write(all, known));
        expect(groups(read(EXPORTS[format]?.(first.rollouts) ?? ""))).toEqual(groups(first));
      }),
      { numRuns: 30 },
    );
  });

  test.each(Object.entries(EXPORTS))("keep numbers beyond a double, of calls and of golden actions, in a file of %s", (_, write) => {
    const args = '{"id": 2512292042121000001, "rate": 0.10000000000000000000000001}';
    const messages = [
      { role: "user", content: "a" },
      { role: "assistant", content: null, tool_calls: [{ id: "1", name: "f", arguments: args }] },
      { role: "tool", tool_call_id: "1", content: "ok" },
    ];
    const line = { task_id: "t", outcome: 1, messages, golden_actions: [{ name: "f", arguments: args }] };
    const [rollout] = read(write(read(JSON.stringify(line)).rollouts)).rollouts;
    expect(rollout?.trajectory.turns[0]?.toolCalls[0]?.argumentsJson).toBe(args);
    expect(rollout?.task.goldenActions?.[0]?.argumentsJson).toBe(args);
  });
});
