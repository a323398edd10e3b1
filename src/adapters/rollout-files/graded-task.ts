// The task that a rollout was graded by, as its grading repeats it. Files exist whose simulations were made on another numbering of the
// tasks than the one that they hold: their golden actions, instructions and groups belong to other conversations.
import { isDict, isList, type PyValue } from "#environments/tau/python/values.ts";
import { canonicalText } from "./canonical-text.ts";
import { readArgumentsValue } from "./conversation/arguments.ts";
import { canonicalArguments } from "./task-identity.ts";

export const GRADED_BY_ANOTHER = "graded by other golden actions or words than their task has";

/** tau-bench's tool that speaks to the user; its runner does not grade it. */
const RESPOND = "respond";

type Part = (item: PyValue | undefined) => string | null;
const textPart: Part = (item) => (typeof item === "string" ? item : null);
const actionPart =
  (argumentsKey: string): Part =>
  (item) => {
    const name = member(item, "name");
    if (typeof name !== "string" || name === RESPOND) return null;
    return canonicalText([name, canonicalArguments(readArgumentsValue(member(item, argumentsKey)).text)]);
  };

/**
 * Whether a tau2 simulation's checks are on other actions or words than the task of its id asks for, or on none of its assertions: forks
 * judge by assertions of their own beside the task's.
 */
export function isGradedByAnotherTau2Task(task: PyValue, grading: PyValue): boolean {
  const criteria = member(task, "evaluation_criteria");
  const actions = [member(grading, "action_checks"), inside("action", actionPart("arguments"))] as const;
  const words = [member(grading, "communicate_checks"), inside("info", textPart)] as const;
  const assertions = [member(grading, "nl_assertions"), inside("nl_assertion", textPart)] as const;
  return (
    differs([member(criteria, "actions"), actionPart("arguments")], actions) ||
    differs([member(criteria, "communicate_info"), textPart], words) ||
    differs([member(criteria, "nl_assertions"), textPart], assertions, haveNoneInCommon)
  );
}

/** Whether the actions that tau-bench's runner played for an entry's reward are others than those of the entry's task. */
export function isGradedByAnotherTauBenchTask(info: PyValue): boolean {
  const played = [member(member(info, "reward_info"), "actions"), actionPart("kwargs")] as const;
  return differs([member(member(info, "task"), "actions"), actionPart("kwargs")], played);
}

type Side = readonly [items: PyValue | undefined, part: Part];
type Difference = (asked: readonly string[], graded: readonly string[]) => boolean;

/** Where both are told. A grading that lists nothing says nothing: it may have stopped before. The order does not matter. */
function differs([asked, ofAsked]: Side, [graded, ofGraded]: Side, isOther: Difference = areNotEqual): boolean {
  if (asked === undefined || graded === undefined || !isList(asked) || !isList(graded) || graded.length === 0) return false;
  return isOther(partsOf(asked, ofAsked), partsOf(graded, ofGraded));
}

const areNotEqual: Difference = (asked, graded) => canonicalText(asked) !== canonicalText(graded);
const haveNoneInCommon: Difference = (asked, graded) => !graded.some((one) => asked.includes(one));
const partsOf = (items: readonly PyValue[], part: Part): string[] => items.flatMap((item) => part(item) ?? []).sort();

const inside =
  (key: string, part: Part): Part =>
  (item) =>
    part(member(item, key));

function member(value: PyValue | undefined, key: string): PyValue | undefined {
  return value !== undefined && isDict(value) ? value.get(key) : undefined;
}
