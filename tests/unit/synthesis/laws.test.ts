import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type SynthesizedTask, TaskFile } from "#contracts/task-file.ts";
import { checkTask } from "#core/environment/check-task.ts";
import { contentOf } from "#synthesis/admission.ts";
import { passesWithScriptedUser } from "#synthesis/golden-agent.ts";
import { verifyTask } from "#synthesis/verify-task.ts";
import { wordsOfWish } from "../../support/wish-words.ts";
import { expectedReads } from "./expected-reads.ts";
import { environment, records, synthesizeWith } from "./synthetic-input.ts";

const { tasks, cells, counts } = synthesizeWith({ perCell: 8 });

/** A task of any cell of any seed; the same draw gives the same task. */
const anyTask = fc
  .record({ seed: fc.nat(1_000_000), writes: fc.integer({ min: 0, max: 5 }), evidence: fc.integer({ min: 0, max: 6 }) })
  .map(
    ({ seed, writes, evidence }) =>
      synthesizeWith({ seed, writes: [writes], evidence: [evidence], perCell: 1, refusals: seed % 2 }).tasks[0],
  )
  .filter((entry) => entry !== undefined);

const forTasks = (law: (entry: SynthesizedTask) => void) =>
  fc.assert(
    fc.property(anyTask, (entry) => {
      law(entry);
    }),
    { numRuns: 40 },
  );

describe("every synthesized task", () => {
  test("earns the reward with its golden actions, none of which fails", () => {
    forTasks(({ task }) => expect(checkTask(environment, task)).toEqual({ taskId: task.id, reward: 1, failedWrites: [] }));
  });

  test("has as many writes as recorded: calls that change the database, each of them", () => {
    forTasks(({ task, difficulty }) => {
      let state = environment.reset();
      let writes = 0;
      for (const action of task.goldenActions) {
        const after = environment.step(state, action).state;
        if (environment.stateHash(after) !== environment.stateHash(state)) writes += 1;
        state = after;
      }
      expect(writes).toBe(difficulty.writes);
    });
  });

  test("has decisions that need as many reads as recorded, counted from its words and the records alone", () => {
    const counted = (entry: SynthesizedTask) => {
      for (const [index, { evidence, kind }] of entry.decisions.entries()) {
        const expected = expectedReads(records, entry, index, wordsOfWish(entry, index));
        expect(expected.size, `${entry.task.id} ${kind}: ${wordsOfWish(entry, index)}`).toBe(entry.difficulty.evidence);
        expect(evidence.length).toBe(entry.difficulty.evidence);
      }
    };
    forTasks(counted);
    tasks.map(counted);
  });

  test("fails without any one of its writes", () => {
    forTasks(({ task }) => {
      for (const write of task.goldenActions.filter(({ name }) => environment.isWrite(name))) {
        const state = task.goldenActions
          .filter((action) => action !== write)
          .reduce((before, call) => environment.step(before, call).state, environment.reset());
        expect(environment.grade(state, task, task.outputs).reward).toBe(0);
      }
    });
  });

  test("fails for an agent that gives in where it must refuse", () => {
    forTasks(({ task, decisions }) => {
      const golden = task.goldenActions.reduce((before, call) => environment.step(before, call).state, environment.reset());
      for (const { type, forbidden, write } of decisions) {
        expect((forbidden === null) !== (type === "withhold")).toBe(true);
        expect((write === null) !== (type === "write")).toBe(true);
        if (forbidden === null) continue;
        const given = environment.step(golden, forbidden);
        expect(given.isError).toBe(false);
        expect(environment.stateHash(given.state)).not.toBe(environment.stateHash(golden));
        expect(environment.grade(given.state, task, task.outputs).reward).toBe(0);
      }
    });
  });

  test("fails for an agent that does nothing, unless refusing is all there is to do", () => {
    forTasks(({ task, difficulty }) => {
      const reward = environment.grade(environment.reset(), task, []).reward;
      expect(reward).toBe(difficulty.writes === 0 && task.outputs.length === 0 ? 1 : 0);
      expect(difficulty.doNothingReward).toBe(reward);
    });
  });

  test("tells in no wish what another one leaves to be read", () => {
    forTasks((entry) => {
      const { instruction, userId } = entry.task;
      for (const [index, { write }] of entry.decisions.entries()) {
        const words = wordsOfWish(entry, index);
        const told = JSON.parse(write?.argumentsJson ?? "{}") as { reservation_id?: string; payment_id?: string };
        if (/your trip from|of all your trips/.test(words) && told.reservation_id !== undefined)
          expect(instruction).not.toContain(told.reservation_id);
        if (/your only/.test(words) && told.payment_id !== undefined) expect(instruction).not.toContain(told.payment_id);
        if (/date of birth is in your profile/.test(words)) expect(instruction).not.toContain(records.users.get(userId)?.dob);
      }
    });
  });

  test("asks for answers that its own instruction does not contain", () => {
    const isSilent = ({ task }: SynthesizedTask) => expect(task.outputs.filter((output) => task.instruction.includes(output))).toEqual([]);
    forTasks(isSilent);
    const questions = synthesizeWith({ writes: [0], evidence: [1, 2, 3, 4], perCell: 100, refusals: 0 }).tasks;
    expect(questions.length).toBe(400);
    questions.map(isSilent);
  });

  test("is passed by the golden agent with the scripted user", () => {
    forTasks((entry) => expect(passesWithScriptedUser(environment, entry)).toBe(true));
  });
});

test("the scripted user can also play what is left of a task in a benchmark's format: no agenda", () => {
  forTasks(({ task, decisions }) => {
    const writes = decisions.filter(({ type }) => type === "write");
    const known = { task: { ...task, agenda: null }, decisions: writes.length > 0 ? writes : decisions };
    expect(task.outputs.length > 0 && writes.length > 0).toBe(false);
    expect(passesWithScriptedUser(environment, known)).toBe(true);
  });
});

describe("a grid of tasks", () => {
  test("is the same for the same seed, to the byte, and another for another", () => {
    const options = { writes: [0, 2], evidence: [1, 3], perCell: 2 };
    expect(JSON.stringify(synthesizeWith(options))).toBe(JSON.stringify(synthesizeWith(options)));
    expect(synthesizeWith({ ...options, seed: 2 }).tasks).not.toEqual(synthesizeWith(options).tasks);
  });

  test("fills every cell of the built-in airline, refusals in each row", () => {
    expect(cells).toHaveLength(42);
    expect(cells.filter(({ made, wanted, missing }) => made !== wanted || missing !== null)).toEqual([]);
    for (const writes of [0, 1, 2, 3, 4, 5])
      expect(tasks.some(({ difficulty }) => difficulty.writes === writes && difficulty.hasRefusal)).toBe(true);
  });

  test("has the wanted share of refusals where a cell is easy to fill", () => {
    const cell = synthesizeWith({ writes: [1], evidence: [1], perCell: 10, refusals: 0.4 }).cells[0];
    expect(cell).toMatchObject({ made: 10, refusals: 4 });
  });

  test("has no user in two splits, and tasks in each", () => {
    const many = synthesizeWith({ writes: [0, 1, 2], evidence: [1, 2, 3], perCell: 60 }).tasks;
    const users = (split: string) => new Set(many.filter((one) => one.split === split).map(({ task }) => task.userId));
    expect(many.length).toBe(540);
    const [train, selection, test] = [users("train"), users("selection"), users("test")];
    expect(train.size + selection.size + test.size).toBe(new Set(many.map(({ task }) => task.userId)).size);
    const sizes = ["train", "selection", "test"].map((split) => many.filter((one) => one.split === split).length);
    expect(sizes).toEqual([432, 43, 65]);
  });

  test("asks no user for the same thing twice, and gives every task an id of its own", () => {
    expect(new Set(tasks.map(contentOf)).size).toBe(tasks.length);
    expect(new Set(tasks.map(({ task }) => task.id)).size).toBe(tasks.length);
  });

  test("is counted as it is", () => {
    expect(counts).toMatchObject({
      tasks: tasks.length,
      refusals: tasks.filter(({ decisions }) => decisions.some(({ type }) => type === "withhold")).length,
      verified: tasks.filter((entry) => verifyTask(environment, entry).length === 0).length,
      problems: [],
      uniquenessVerified: tasks.filter(({ difficulty }) => difficulty.writes > 0).length,
      train: tasks.filter(({ split }) => split === "train").length,
    });
    expect(counts.verified).toBe(tasks.length);
  });

  test("satisfies its own schema", () => {
    expect(TaskFile.shape.tasks.safeParse(tasks).success).toBe(true);
    expect(TaskFile.shape.counts.safeParse(counts).success).toBe(true);
  });

  test("says of a cell that no user can fill how many were tried", () => {
    const few = synthesizeWith({ writes: [5], evidence: [6], perCell: 400, refusals: 0 });
    expect(few.cells[0]).toMatchObject({
      wanted: 400,
      made: few.tasks.length,
      usersTried: 500,
      missing: expect.stringContaining("of the 500 users"),
    });
    expect(few.tasks.length).toBeLessThan(400);
  });
});

describe("the verification", () => {
  const [entry] = tasks.filter(({ difficulty }) => difficulty.writes === 2 && difficulty.hasRefusal);
  if (entry === undefined) throw new Error("no such task");
  const { goldenActions } = entry.task;
  const write = goldenActions.find(({ name }) => environment.isWrite(name));
  if (write === undefined) throw new Error("no write");

  test.each([
    ["a write too many", { ...entry, task: { ...entry.task, goldenActions: [...goldenActions, write] } }],
    ["a write too few", { ...entry, task: { ...entry.task, goldenActions: goldenActions.filter((action) => action !== write) } }],
    [
      "a call that fails",
      {
        ...entry,
        task: { ...entry.task, goldenActions: [...goldenActions, { name: "get_user_details", argumentsJson: '{"user_id":"nobody"}' }] },
      },
    ],
    ["an answer that the user says", { ...entry, task: { ...entry.task, outputs: [entry.task.userId] } }],
    [
      "a forbidden call that changes nothing",
      {
        ...entry,
        decisions: [
          ...entry.decisions,
          {
            kind: "x",
            type: "withhold" as const,
            rule: "x",
            evidence: [],
            write: null,
            outputs: [],
            forbidden: { name: "list_all_airports", argumentsJson: "{}" },
          },
        ],
      },
    ],
  ])("names %s", (_, broken) => {
    expect(verifyTask(environment, broken)).not.toEqual([]);
    expect(verifyTask(environment, entry)).toEqual([]);
  });
});
