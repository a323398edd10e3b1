// Where the training of a campaign runs: what its back-end needs, held against what a machine has.

import type { TrainingConfig } from "#contracts/campaign-config.ts";
import { CampaignError } from "../errors.ts";

export interface TrainingPlace {
  /** In words, for the plan. */
  readonly place: string;
  /** Why it cannot run here, and what to do; null when it can. */
  readonly problem: { readonly message: string; readonly next: string } | null;
}

/** `numGpus` are the NVIDIA GPUs that are visible where training runs. */
export function placeTraining({ backend, numProcesses, threads, command = [] }: TrainingConfig, numGpus: number): TrainingPlace {
  const place = (text: string, problem: TrainingPlace["problem"] = null): TrainingPlace => ({ place: `${backend}: ${text}`, problem });
  if (backend !== "fsdp" && numProcesses > 1) {
    return place("one process", {
      message: `training.numProcesses is ${numProcesses}, but training.backend ${backend} is one process`,
      next: "set training.backend to fsdp, or training.numProcesses to 1",
    });
  }
  if (backend === "process") return place(command.map((part) => JSON.stringify(part)).join(" "));
  if (backend === "cpu") return place(`one process on the CPU, ${threads} threads, float32`);
  if (backend === "gpu") {
    if (numGpus > 0) return place("one process on one GPU, bfloat16");
    return place("one process on one GPU", {
      message: "training.backend is gpu, but no NVIDIA GPU is found",
      next: "run it on a machine with one, or set training.backend to cpu",
    });
  }
  if (numGpus === 0) return place(`processes on the CPU: ${numProcesses}, float32; to try it out, backend cpu is faster`);
  if (numProcesses <= numGpus) return place(`processes: ${numProcesses}, each on a GPU of its own, of ${numGpus} found; bfloat16`);
  return place(`processes: ${numProcesses}, each on a GPU of its own`, {
    message: `training.numProcesses is ${numProcesses}, but ${numGpus} NVIDIA GPUs are found: every process needs one of its own`,
    next: `set training.numProcesses to at most ${numGpus}`,
  });
}

/** Throws config.invalid when training cannot run here. */
export function checkTraining(training: TrainingConfig, numGpus: number): void {
  const { problem } = placeTraining(training, numGpus);
  if (problem !== null) throw new CampaignError("config.invalid", problem.message, { next: problem.next });
}
