import fc from "fast-check";
import { expect, test } from "vitest";
import type { ToldTask } from "#contracts/task.ts";
import { passesIdle } from "#core/reward/passes-idle.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";
import { counter, TASK } from "../rollout/parties.ts";

const CATALOG = createToolCatalog({});
const task = (names: readonly string[], change: Partial<ToldTask> = {}): ToldTask => ({
  ...TASK,
  outputs: [],
  goldenActions: names.map((name) => ({ name, argumentsJson: "{}" })),
  ...change,
});

test("with the environment at hand, grading the untouched state decides", () => {
  expect(passesIdle(task([]), counter)).toBe(false);
  expect(passesIdle(task(["cancel_reservation"]), { ...counter, reset: () => 2 })).toBe(true);
});

test("without it, a golden write or a required output decides; reads and transfers change nothing", () => {
  expect(passesIdle(task([]), CATALOG)).toBe(true);
  expect(passesIdle(task(["get_user_details", "transfer_to_human_agents"]), CATALOG)).toBe(true);
  expect(passesIdle(task(["cancel_reservation"]), CATALOG)).toBe(false);
  expect(passesIdle(task([], { outputs: ["4"] }), CATALOG)).toBe(false);
});

test("a task whose golden actions nobody told is not known, with the environment or without", () => {
  expect(passesIdle(task([], { goldenActions: null }), CATALOG)).toBeNull();
  expect(passesIdle(task([], { goldenActions: null }), counter)).toBeNull();
});

test("one golden write or one required output is enough, whatever else is not known", () => {
  expect(passesIdle(task(["cancel_reservation", "register_order"], { outputs: null }), CATALOG)).toBe(false);
  expect(passesIdle(task([], { goldenActions: null, outputs: ["4"] }), CATALOG)).toBe(false);
  expect(passesIdle(task([], { outputs: null }), counter)).toBe(false);
});

test("a tool that nobody knows may write: with its name among the writes it does, with other names there it reads", () => {
  expect(passesIdle(task(["register_order"]), CATALOG)).toBeNull();
  expect(passesIdle(task(["register_order"]), createToolCatalog({ writes: ["register_order"] }))).toBe(false);
  expect(passesIdle(task(["register_order"]), createToolCatalog({ writes: ["close_ticket"] }))).toBe(true);
});

test("telling more never turns a known answer around", () => {
  const names = fc.array(fc.constantFrom("get_user_details", "cancel_reservation", "close_ticket", "transfer_to_human_agents"), {
    maxLength: 4,
  });
  const told = fc.record({
    names,
    outputs: fc.array(fc.string({ minLength: 1 }), { maxLength: 2 }),
    other: fc.option(fc.constant("NL_ASSERTION")),
  });
  fc.assert(
    fc.property(told, fc.boolean(), fc.boolean(), ({ names, outputs, other }, hidesActions, hidesOutputs) => {
      const whole = passesIdle(task(names, { outputs, alsoGradedBy: other }), CATALOG);
      const part = passesIdle(
        task(names, { outputs: hidesOutputs ? null : outputs, alsoGradedBy: other, ...(hidesActions ? { goldenActions: null } : {}) }),
        CATALOG,
      );
      expect([null, whole]).toContain(part);
    }),
  );
});
