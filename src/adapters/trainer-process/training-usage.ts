// For how long a training job has computed, and on how many GPUs.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TrainingUsage } from "#contracts/training.ts";

/** What the trainer wrote down, over all attempts of the job; null for a job that has not saved anything yet, or that 0.1.0 ran. */
export async function readTrainingUsage(jobDirectory: string): Promise<TrainingUsage | null> {
  const text = await readFile(join(jobDirectory, "usage.json"), "utf8").catch(() => null);
  return text === null ? null : TrainingUsage.parse(JSON.parse(text));
}
