// Whether a job still goes on, told by two signs: its events, and the CPU time that its processes use, all ranks together.

/** A job that works without a word is given this many times as long: a rank that waits for a GPU or a peer may look busy for ever. */
const BUSY_FACTOR = 4;
/** Less of one CPU than this is waiting, not work: launchers and watchdogs look around now and then. */
const IDLE_SHARE = 0.02;
const SAMPLES_PER_TIMEOUT = 10;

export interface StallWatch {
  /** To be told of every event. */
  sawEvent(): void;
  /** Why the job is taken to be stalled, or null. To be asked often. */
  stalled(): string | null;
}

/** `cpuSeconds` is that of all processes together; null where nobody can tell, and events alone decide. `now` is in milliseconds. */
export function watchForStall(
  timeoutSeconds: number,
  cpuSeconds: () => number | null,
  now: () => number = () => performance.now(),
): StallWatch {
  const timeout = timeoutSeconds * 1000;
  let lastEvent = now();
  let lastWork = now();
  let sample = { at: now(), cpu: cpuSeconds() };
  const takeSample = (): void => {
    const next = { at: now(), cpu: cpuSeconds() };
    if (worked(sample, next)) lastWork = next.at;
    sample = next;
  };
  return {
    sawEvent: () => {
      lastEvent = now();
    },
    stalled: () => {
      if (now() - sample.at >= timeout / SAMPLES_PER_TIMEOUT) takeSample();
      const silent = now() - lastEvent;
      if (silent > BUSY_FACTOR * timeout) return `no event for ${BUSY_FACTOR * timeoutSeconds} s, though its processes are busy`;
      return silent > timeout && now() - lastWork > timeout ? `no event and no work for ${timeoutSeconds} s` : null;
    },
  };
}

function worked(before: { at: number; cpu: number | null }, after: { at: number; cpu: number | null }): boolean {
  if (before.cpu === null || after.cpu === null) return false;
  return (after.cpu - before.cpu) * 1000 > IDLE_SHARE * (after.at - before.at);
}
