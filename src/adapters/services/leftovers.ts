// Processes of a stack whose supervisor is gone: found by state.json and by the mark that they inherited, ended with their groups.
import { GRACE } from "#contracts/grace-periods.ts";
import { isAlive, markedProcesses, signal, waitUntil } from "./process-identity.ts";
import { readState, removeState } from "./state.ts";

const GRACE_SECONDS = 8;

/** Ends them all, politely first. Answers what was ended, in words; empty when there was nothing. */
export async function endLeftovers(home: string): Promise<string[]> {
  const state = readState(home);
  const services = (state?.services ?? []).filter(({ process }) => isAlive(process));
  const groups = services.flatMap(({ process }) => (process === null ? [] : [process.pid]));
  const marked = markedProcesses(home);
  for (const pid of groups) signal(pid, "SIGTERM", "group");
  for (const pid of marked) signal(pid, "SIGTERM", "process");
  const isOver = () => services.every(({ process }) => !isAlive(process)) && markedProcesses(home).length === 0;
  // A worker that was left behind may have a trainer that saves, and nobody else waits for it.
  const graceSeconds = Math.max(GRACE_SECONDS, ...(state?.plan.services ?? []).map(({ stopSeconds }) => stopSeconds));
  if (!(await waitUntil(isOver, graceSeconds))) {
    for (const pid of groups) signal(pid, "SIGKILL", "group");
    for (const pid of markedProcesses(home)) signal(pid, "SIGKILL", "process");
    await waitUntil(isOver, GRACE.death);
  }
  removeState(home);
  const unnamed = marked.filter((pid) => !groups.includes(pid)).length;
  return [...services.map(({ name }) => `${name} (left behind)`), ...(unnamed > 0 ? [`${unnamed} more processes`] : [])];
}
