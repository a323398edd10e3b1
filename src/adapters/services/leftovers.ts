// Processes of a stack whose supervisor is gone: found by state.json and by the mark that they inherited, ended with their groups.
import { isAlive, markedProcesses, signal, waitUntil } from "./process-identity.ts";
import { readState, removeState } from "./state.ts";

const GRACE_SECONDS = 8;

/** Ends them all, politely first. Answers what was ended, in words; empty when there was nothing. */
export async function endLeftovers(home: string): Promise<string[]> {
  const services = (readState(home)?.services ?? []).filter(({ process }) => isAlive(process));
  const groups = services.flatMap(({ process }) => (process === null ? [] : [process.pid]));
  const marked = markedProcesses(home);
  for (const pid of groups) signal(pid, "SIGTERM", "group");
  for (const pid of marked) signal(pid, "SIGTERM", "process");
  const isOver = () => services.every(({ process }) => !isAlive(process)) && markedProcesses(home).length === 0;
  if (!(await waitUntil(isOver, GRACE_SECONDS))) {
    for (const pid of groups) signal(pid, "SIGKILL", "group");
    for (const pid of markedProcesses(home)) signal(pid, "SIGKILL", "process");
    await waitUntil(isOver, GRACE_SECONDS);
  }
  removeState(home);
  const unnamed = marked.filter((pid) => !groups.includes(pid)).length;
  return [...services.map(({ name }) => `${name} (left behind)`), ...(unnamed > 0 ? [`${unnamed} more processes`] : [])];
}
