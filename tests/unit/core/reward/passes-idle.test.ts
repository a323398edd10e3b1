import { expect, test } from "vitest";
import type { Task } from "#contracts/task.ts";
import { passesIdle, UNKNOWN_KIND } from "#core/reward/passes-idle.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";
import { counter, TASK } from "../rollout/parties.ts";

const CATALOG = createToolCatalog({});
const task = (names: readonly string[], change: Partial<Task> = {}): Task => ({
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

test("a task whose golden actions nobody told is not known", () => {
  expect(passesIdle(task([], { kind: UNKNOWN_KIND }), CATALOG)).toBeNull();
});
