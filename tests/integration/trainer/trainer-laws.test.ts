// Our trainer and the engine of docs/extending/trainer-engine.md, by the real adapter, under the laws of engines.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { runTrainingJob } from "#adapters/trainer-process/run-training-job.ts";
import { present } from "../../fixtures/present.ts";
import { longTemporaryFolder } from "../../fixtures/temporary-folder.ts";
import { type EngineUnderTest, makeJob, trainerLaws } from "../../laws/trainers.ts";
import { codeOf, textOf } from "../../support/pages.ts";
import { hasPython, PYTHON } from "../../support/python.ts";

const OURS: EngineUnderTest = { backend: "cpu", epochs: 20, checkpointEverySteps: 4 };
const EXAMPLE: EngineUnderTest = {
  engine: [PYTHON, join(REPOSITORY, "examples/trainers/last_norm.py")],
  backend: "process",
  epochs: 600,
  checkpointEverySteps: 50,
};

describe.skipIf(!hasPython)("training engines", () => {
  trainerLaws("backend cpu", OURS);
  trainerLaws("docs/extending/trainer-engine.md", EXAMPLE);

  test("the example says of the first step what our trainer says: the model, the rows and the loss are the same", async () => {
    const folder = longTemporaryFolder();
    const job = await makeJob(folder, OURS);
    const common = { python: PYTHON, stallTimeoutSeconds: 120, signal: new AbortController().signal, onEvent: () => {} };
    const ours = await runTrainingJob({ ...common, jobDirectory: join(folder, "ours"), job });
    const theirs = await runTrainingJob({
      ...common,
      jobDirectory: join(folder, "theirs"),
      job: { ...job, backend: "process" },
      engine: EXAMPLE.engine,
    });
    const [one, other] = [present(ours.steps[0]), present(theirs.steps[0])];
    for (const name of ["loss", "policyLoss", "kl", "entropy", "ratioMean", "ratioMax", "clipFraction", "numTokens", "numRows"] as const)
      expect(Math.abs(one[name] - other[name]) / Math.max(1, Math.abs(one[name])), name).toBeLessThan(1e-4);
  }, 300_000);
});

test("the engine of docs/extending/trainer-engine.md is the one that was tried", () => {
  expect(codeOf("docs/extending/trainer-engine.md", "python")).toBe(textOf("examples/trainers/last_norm.py"));
});
