// The account of a reading in words: one wording for every command, as pairs of what and how much.
import type { RolloutReading } from "#contracts/rollout-reading.ts";
import { plainText } from "../text.ts";
import { type Counts, sumCounts } from "./counts.ts";

const MAX_NAMES = 6;

/** What a reader of the figures has to know of where they come from. What goes without saying (one policy, one reader, no note) is left out. */
export function describeReading(reading: RolloutReading): [what: string, how: string][] {
  const { files, rollouts, repeats, excluded, firstExcluded = {}, unread = {}, readers, notes, policies, taskSets } = reading;
  const tasks = sumCounts(taskSets);
  const lines: [string, string, boolean][] = [
    ["rollouts", `${rollouts} of ${tasks} ${tasks === 1 ? "task" : "tasks"} in ${files} ${files === 1 ? "file" : "files"}`, true],
    ["counted once", `${repeats} that another file holds, too`, repeats > 0],
    [
      "left out",
      list(excluded, { more: (why) => (firstExcluded[why] === undefined ? "" : ` (first: ${firstExcluded[why]})`) }),
      sumCounts(excluded) > 0,
    ],
    ["not read", Object.values(unread).join("; "), Object.keys(unread).length > 0],
    ["policies", `${list(policies)}; calibrate and advantages tell them apart with --by policy`, Object.keys(policies).length > 1],
    ["task sets", `${list(taskSets)} tasks`, Object.keys(taskSets).length > 1],
    ["read as", list(readers), !isPlain(readers)],
    ["take note", list(notes, { sign: " ×" }), sumCounts(notes) > 0],
  ];
  return lines.flatMap(([what, how, isSaid]) => (isSaid ? [[what, plainText(how)]] : []));
}

/** Calls and results in fields of their own, as every harness with tool calling stores them: nothing to say. */
export const PLAIN_READER = "tool-calls";
const WITHOUT_CALLS = "no-calls";

/** A rollout without a call says nothing of its form, as long as others have theirs in fields of their own. */
function isPlain(readers: Counts): boolean {
  const names = Object.keys(readers);
  return names.length === 0 || (names.includes(PLAIN_READER) && names.every((name) => name === PLAIN_READER || name === WITHOUT_CALLS));
}

/** sign  stands behind the number where the names are plurals of their own: "1 × calls that …" */
function list(counts: Counts, { sign = "", more = () => "" }: { sign?: string; more?: (name: string) => string } = {}): string {
  const names = Object.entries(counts).sort(([, a], [, b]) => b - a);
  const shown = names.slice(0, MAX_NAMES).map(([name, count]) => `${count}${sign} ${name}${more(name)}`);
  return [...shown, ...(names.length > MAX_NAMES ? [`${names.length - MAX_NAMES} more kinds`] : [])].join(", ");
}
