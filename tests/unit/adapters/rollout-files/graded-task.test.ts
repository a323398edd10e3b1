// Rollouts whose grading repeats another task than the one that their id names.
import fc from "fast-check";
import { expect, test } from "vitest";
import { GRADED_BY_ANOTHER } from "#adapters/rollout-files/graded-task.ts";
import { importRolloutText } from "#adapters/rollout-files/read-rollouts.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";

const catalog = createToolCatalog({});
const ROLES = [
  { role: "user", content: "close it" },
  { role: "assistant", content: "closed" },
];

interface Asked {
  readonly orders: readonly number[];
  readonly words: readonly string[];
  readonly assertions: readonly string[];
}
const asked: fc.Arbitrary<Asked> = fc.record({
  orders: fc.array(fc.nat(3), { maxLength: 3 }),
  words: fc.array(fc.constantFrom("10", "20"), { maxLength: 2 }),
  assertions: fc.uniqueArray(fc.constantFrom("it refuses", "it asks", "it closes"), { maxLength: 2 }),
});
/** Keys in another order than the task has them, as another writer may have them. */
const actionsOf = ({ orders }: Asked, key: string, isTurned = false) =>
  orders.map((order) => {
    const parts = [["note", "x"] as const, ["order_id", `#${order}`] as const];
    return { name: "close_order", [key]: Object.fromEntries(isTurned ? parts.toReversed() : parts) };
  });

function tau2(task: Asked, grading: Asked) {
  const criteria = {
    actions: actionsOf(task, "arguments"),
    communicate_info: task.words,
    nl_assertions: task.assertions,
    reward_basis: ["DB", "COMMUNICATE"],
  };
  const reward_info = {
    reward: 1,
    action_checks: actionsOf(grading, "arguments", true).map((action) => ({ action, action_match: true })),
    communicate_checks: grading.words.map((info) => ({ info, met: true })),
    nl_assertions: grading.assertions.map((nl_assertion) => ({ nl_assertion, met: true })),
  };
  return JSON.stringify({
    tasks: [{ id: "0", user_scenario: "close it", evaluation_criteria: criteria }],
    simulations: [{ task_id: "0", termination_reason: "user_stop", reward_info, messages: ROLES }],
  });
}

function tauBench(task: Asked, grading: Asked) {
  const said = { name: "respond", kwargs: { content: "closed" } };
  const info = {
    task: { user_id: "u", instruction: "close it", actions: [...actionsOf(task, "kwargs"), said], outputs: task.words },
    reward_info: { reward: 1, actions: actionsOf(grading, "kwargs", true) },
  };
  return JSON.stringify([{ task_id: 0, trial: 0, reward: 1, info, traj: ROLES }]);
}

const excluded = (text: string) => {
  try {
    return importRolloutText("f.json", text, catalog).reading.excluded;
  } catch (error) {
    return (error as Error).message;
  }
};
const sorted = (values: readonly (string | number)[]) => values.map(String).sort().join();
const isOther = (a: readonly (string | number)[], b: readonly (string | number)[]) => b.length > 0 && sorted(a) !== sorted(b);

test("what was graded by another task is left out under its name, and nothing else is", () => {
  fc.assert(
    fc.property(asked, asked, fc.boolean(), (task, other, isSame) => {
      const grading = isSame ? task : other;
      const isOtherDeed = isOther(task.orders, grading.orders);
      const isJudgedByOthers = grading.assertions.length > 0 && !grading.assertions.some((one) => task.assertions.includes(one));
      const isLeftOut = { tau2: isOtherDeed || isOther(task.words, grading.words) || isJudgedByOthers, tauBench: isOtherDeed };
      for (const [text, left] of [[tau2(task, grading), isLeftOut.tau2] as const, [tauBench(task, grading), isLeftOut.tauBench] as const])
        if (left) expect(JSON.stringify(excluded(text))).toContain(GRADED_BY_ANOTHER);
        else expect(excluded(text)).toEqual({});
    }),
  );
});

test("a task without told actions is contradicted by no grading", () => {
  const text = tau2({ orders: [], words: [], assertions: [] }, { orders: [1], words: ["10"], assertions: ["it asks"] });
  const untold = text.replace(/"actions":\[\],"communicate_info":\[\],"nl_assertions":\[\]/, '"actions":null');
  expect(untold).not.toBe(text);
  expect(excluded(untold)).toEqual({});
});
