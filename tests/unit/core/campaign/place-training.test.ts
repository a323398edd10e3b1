import { describe, expect, test } from "vitest";
import { TrainingConfig } from "#contracts/campaign-config.ts";
import { checkTraining, placeTraining } from "#core/campaign/place-training.ts";

const training = (backend: TrainingConfig["backend"], numProcesses = 1, command?: string[]): TrainingConfig =>
  TrainingConfig.parse({ backend, numProcesses, command, hyperparameters: { learningRate: 1e-3 } });

describe("training can run", () => {
  test.each([
    ["cpu", 1, 0],
    ["cpu", 1, 4],
    ["gpu", 1, 1],
    ["fsdp", 1, 0],
    ["fsdp", 3, 0],
    ["fsdp", 8, 8],
    ["fsdp", 2, 8],
  ] as const)("as %s in %d processes beside %d GPUs", (backend, numProcesses, numGpus) => {
    expect(placeTraining(training(backend, numProcesses), numGpus).problem).toBeNull();
    expect(() => checkTraining(training(backend, numProcesses), numGpus)).not.toThrow();
  });

  test("and the plan says on what", () => {
    expect(placeTraining(training("fsdp", 2), 0).place).toBe(
      "fsdp: processes on the CPU: 2, float32; to try it out, backend cpu is faster",
    );
    expect(placeTraining(training("process", 1, ["/opt/engine", "a file.py"]), 0).place).toBe('process: "/opt/engine" "a file.py"');
    expect(placeTraining(training("fsdp", 2), 8).place).toBe("fsdp: processes: 2, each on a GPU of its own, of 8 found; bfloat16");
  });
});

test("an engine of one's own is named by its command, which no other back-end has", () => {
  expect(() => training("process")).toThrow("has a command");
  expect(() => training("cpu", 1, ["/opt/engine"])).toThrow("no other backend has");
  expect(() => training("process", 1, [])).toThrow();
});

describe("training cannot run, and the error says what to do", () => {
  test.each([
    ["gpu", 1, 0, "no NVIDIA GPU is found", "set training.backend to cpu"],
    ["fsdp", 4, 2, "every process needs one of its own", "at most 2"],
    ["cpu", 2, 0, "training.backend cpu is one process", "set training.backend to fsdp"],
    ["gpu", 2, 2, "training.backend gpu is one process", "set training.backend to fsdp"],
  ] as const)("as %s in %d processes beside %d GPUs", (backend, numProcesses, numGpus, message, next) => {
    expect(() => checkTraining(training(backend, numProcesses), numGpus)).toThrow(
      expect.objectContaining({ code: "config.invalid", message: expect.stringContaining(message), next: expect.stringContaining(next) }),
    );
  });
});
