import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TASK_SET_SOURCES } from "#adapters/task-data/task-sets.ts";
import { checkTask } from "#core/environment/check-task.ts";
import { doNothingFloor } from "#core/environment/do-nothing-floor.ts";
import { KNOWN_DEFECTS } from "#environments/tau/known-defects.ts";
import { RETAIL_TOOLS } from "#environments/tau/retail/environment.ts";
import { TAU2_AIRLINE_TOOLS } from "#environments/tau/tau2-airline/environment.ts";
import type { Tool } from "#environments/tau/tool.ts";
import { deriveAgenda } from "#simulators/derive-agenda.ts";
import { because, MISSING, TAU_BENCH } from "./tau-bench-data.ts";

describe.skipIf(MISSING !== null)(`the benchmarks' task sets${because}`, async () => {
  if (MISSING !== null) return;
  const sets = (await Promise.all(TASK_SET_SOURCES.map(({ load }) => load(TAU_BENCH)))).flat();

  it("have the sizes and the do-nothing floors of the benchmarks", () => {
    const floors = sets.map(({ name, environment, tasks }) => [name, tasks.length, doNothingFloor(environment, tasks) * tasks.length]);
    expect(floors.filter(([name]) => name !== "synthetic-airline")).toEqual([
      ["tau-bench-airline", 50, 19],
      ["tau-bench-retail test", 115, 7],
      ["tau-bench-retail train", 500, 5],
      ["tau-bench-retail dev", 20, 1],
      ["tau2-airline train", 30, 16],
      ["tau2-airline test", 20, 7],
    ]);
  });

  it("give full reward to golden actions; those with a refused golden write are known", () => {
    const checks = sets.flatMap(({ environment, tasks }) => tasks.map((task) => checkTask(environment, task)));
    expect(checks.filter(({ reward }) => reward !== 1)).toEqual([]);
    const refused = checks.filter(({ failedWrites }) => failedWrites.length > 0).map(({ taskId }) => taskId);
    expect(refused.filter((id) => !KNOWN_DEFECTS.has(id))).toEqual([]);
    expect(refused.length).toBe(23);
  });

  it("have unique task ids across all sets", () => {
    const ids = sets.flatMap(({ tasks }) => tasks.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("let a scripted customer of retail say who they are and every id that a golden write needs", () => {
    const retail = sets.filter(({ name }) => name.startsWith("tau-bench-retail"));
    const tasks = retail.flatMap((set) => set.tasks).filter(({ difficulty }) => difficulty.numWrites > 0);
    expect(tasks.length).toBeGreaterThan(600);
    const silent = tasks.filter((task) => {
      const said = deriveAgenda(task).wishes.map(({ words }) => words ?? "");
      const writes = task.goldenActions.filter(({ name }) => /^(cancel|return|exchange|modify)_/.test(name));
      const needed = writes.flatMap(
        ({ argumentsJson }) => argumentsJson.match(/#W\d+|\b\d{10}\b|(?:paypal|credit_card|gift_card)_\d+/g) ?? [],
      );
      return needed.some((id) => !said.some((words) => words.includes(id))) || !/@|\b\d{5}\b/.test(said[0] ?? "");
    });
    expect(silent.map(({ id }) => id)).toEqual([]);
  });

  it.each([
    ["tau-bench-retail test", RETAIL_TOOLS, { order_id: "#W2378156", user_id: "yusuf_rossi_9620" }],
    ["tau2-airline test", TAU2_AIRLINE_TOOLS, { reservation_id: "JMO1MG", user_id: "anya_garcia_5901" }],
  ])("%s answers any value for any parameter and keeps the state before", (name, tools: readonly Tool[], known) => {
    const environment = sets.find((set) => set.name === name)?.environment;
    if (environment === undefined) throw new Error(`no task set ${name}`);
    const before = environment.stateHash(environment.reset());
    const tool = fc.constantFrom(...tools.filter(({ parameters }) => parameters.length > 0));
    fc.assert(
      fc.property(tool, fc.array(fc.jsonValue({ maxDepth: 2 }), { minLength: 11, maxLength: 11 }), ({ name: tool, parameters }, values) => {
        const kwargs = Object.fromEntries(parameters.map((parameter, index) => [parameter, values[index]]));
        for (const [key, id] of Object.entries(known)) if (key in kwargs) kwargs[key] = id;
        const { state, observation } = environment.step(environment.reset(), { name: tool, argumentsJson: JSON.stringify(kwargs) });
        expect(typeof observation).toBe("string");
        expect(environment.stateHash(state)).toMatch(/^[0-9a-f]{64}$/);
      }),
    );
    expect(environment.stateHash(environment.reset())).toBe(before);
  });
});
