// How long everybody waits for whom when a stack is stopped, in one chain: whoever ends a process has waited for all that the process
// itself waits for. So a checkpoint that is being written is never killed from above. See docs/training.md.

/** What a level adds to the grace of the level below it: time to notice, to clean up and to end. */
export const GRACE_MARGIN_SECONDS = 5;

/** From SIGTERM to the end of a rank that finishes its micro-batch and saves. The launcher of the ranks ends them after it. */
const rankSeconds = 120;
/** Until Node ends the trainer's process group. */
const trainerSeconds = rankSeconds + 2 * GRACE_MARGIN_SECONDS;
/** From SIGKILL until the process table knows nobody of the group: a GPU's driver cleans up after them. */
const deathSeconds = 30;
/** What activities get to end by themselves before a stopping worker cancels them. */
const finishSeconds = 5;
/** Until a stopping worker gives up on activities that do not heed their cancellation. */
const workerSeconds = finishSeconds + 2 * GRACE_MARGIN_SECONDS;
const trainingWorkerSeconds = finishSeconds + trainerSeconds + deathSeconds + GRACE_MARGIN_SECONDS;

/** Seconds, from the inside out. */
export const GRACE = {
  rank: rankSeconds,
  trainer: trainerSeconds,
  death: deathSeconds,
  finish: finishSeconds,
  worker: workerSeconds,
  trainingWorker: trainingWorkerSeconds,
  /** Until the supervisor kills a worker's process group. */
  workerService: workerSeconds + GRACE_MARGIN_SECONDS,
  trainingWorkerService: trainingWorkerSeconds + GRACE_MARGIN_SECONDS,
  /** From a service's SIGKILL until its process group is given up on. */
  serviceDeath: 2,
} as const;

/** Until whoever stops a whole stack kills its supervisor: services of one wave stop at once, the waves one after the other. */
export function stackStopSeconds(services: readonly { readonly stopWave: number; readonly stopSeconds: number }[]): number {
  const waves = Map.groupBy(services, ({ stopWave }) => stopWave);
  const ofWave = [...waves.values()].map((wave) => Math.max(...wave.map(({ stopSeconds }) => stopSeconds)) + GRACE.serviceDeath);
  return ofWave.reduce((sum, seconds) => sum + seconds, 2 * GRACE_MARGIN_SECONDS);
}
