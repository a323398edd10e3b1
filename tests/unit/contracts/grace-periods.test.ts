// Whoever ends a process has waited for all that the process itself waits for, with time to spare.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planStack, SERVICE_NAMES } from "#adapters/services/plan-stack.ts";
import { GRACE, GRACE_MARGIN_SECONDS, stackStopSeconds } from "#contracts/grace-periods.ts";

const ports = { temporal: 1, temporalUi: 2, mlflow: 3, policy: 4 };
const plan = planStack({ home: "/h", ports, namespace: "n", services: SERVICE_NAMES, elsewhere: {} });
const stopSecondsOf = (name: string) => plan.services.find((service) => service.name === name)?.stopSeconds ?? Number.NaN;

describe("grace periods", () => {
  test("nest with a margin: rank, trainer and its death, training worker, its service, the stack", () => {
    const chain = [
      GRACE.rank,
      GRACE.trainer,
      GRACE.finish + GRACE.trainer + GRACE.death,
      GRACE.trainingWorker,
      stopSecondsOf("training"),
      stackStopSeconds(plan.services),
    ];
    for (const [level, seconds] of chain.entries()) {
      if (level > 0) expect(seconds).toBeGreaterThanOrEqual((chain[level - 1] ?? 0) + GRACE_MARGIN_SECONDS);
    }
  });

  test.each(["control", "rollout"])("nest for the %s worker", (name) => {
    expect(GRACE.worker).toBeGreaterThanOrEqual(GRACE.finish + GRACE_MARGIN_SECONDS);
    expect(stopSecondsOf(name)).toBeGreaterThanOrEqual(GRACE.worker + GRACE_MARGIN_SECONDS);
  });

  test("of a stack hold all its waves, one after the other, each with the death of its slowest service", () => {
    const services = fc.array(fc.record({ stopWave: fc.nat(3), stopSeconds: fc.integer({ min: 1, max: 500 }) }));
    fc.assert(
      fc.property(services, (every) => {
        const slowest = [0, 1, 2, 3].map((wave) => every.filter(({ stopWave }) => stopWave === wave).map(({ stopSeconds }) => stopSeconds));
        const needed = slowest.reduce((sum, wave) => sum + (wave.length === 0 ? 0 : Math.max(...wave) + GRACE.serviceDeath), 0);
        expect(stackStopSeconds(every)).toBeGreaterThanOrEqual(needed + GRACE_MARGIN_SECONDS);
      }),
    );
  });

  test("of the trainer's ranks are the same where nobody tells the trainer", () => {
    const source = readFileSync(new URL("../../../trainer/src/trainer/supervision.py", import.meta.url), "utf8");
    expect(Number(/^SAVE_SECONDS = ([\d.]+)/m.exec(source)?.[1])).toBe(GRACE.rank);
  });
});
