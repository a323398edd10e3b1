// Every small file of the foreign inputs, read as a person would give it: how many rollouts, tasks and pass/fail pairs, which tiers, who read
// them, what was left out and what had to be decided. A word that changes here changes what people are told.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readRollouts } from "#adapters/rollout-files/read-rollouts.ts";
import type { Counts } from "#core/reading/counts.ts";
import { type LabelledRollout, labelRollout } from "#core/reward/label-rollout.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";
import { FOREIGN_INPUTS, hasForeignInputs } from "../../support/foreign-inputs.ts";

const catalog = createToolCatalog({});
const FOUR = "4 rollouts, 2 tasks, 2 pairs";
const LIKE_BASE = `${FOUR} | 2 gold_write, 8 message, 4 read, 2 state | read by tool-calls`;
const LIKE_BASE_TAU2 = `${FOUR} | 2 gold_write, 4 message, 2 state | read by tool-calls`;
const THREE = "3 rollouts, 2 tasks, 1 pair | 2 gold_write, 6 message, 3 read, 1 state | read by tool-calls";
const THREE_TAU2 = "3 rollouts, 2 tasks, 1 pair | 2 gold_write, 3 message, 1 state | read by tool-calls";
const KEYS =
  "task_id, task_set, trial, user_id, messages, outcome, golden_actions, outputs, stop_reason, instruction, policy, turnwise, tools";
const OUTCOMES = "wanted a number from 0 to 1, true, false or null";
const IN_DOUBT = `${FOUR} | 2 gold_read, 4 message, 2 soft_read | read by tool-calls`;

const RIGHT: Readonly<Record<string, string>> = {
  "00-base-tau.json": LIKE_BASE,
  "00-base-tau2.json": LIKE_BASE_TAU2,
  "00-base.jsonl": LIKE_BASE,
  "01-nan-cost-tau.json": LIKE_BASE,
  "01-nan-cost-tau2-oneline.json": LIKE_BASE_TAU2,
  "01-nan-cost-tau2.json": LIKE_BASE_TAU2,
  "01-nan-outcome.jsonl": `${THREE} | left out: 1 with NaN for an outcome`,
  "02-act.json":
    "6 rollouts, 3 tasks, 3 pairs | 3 gold_write, 12 message, 6 read, 3 state | read by act | note: 12 results in user messages",
  "02-react.json":
    "6 rollouts, 3 tasks, 3 pairs | 3 gold_write, 12 message, 6 read, 3 state | read by react | note: 12 results in user messages",
  "03-shop-same-ids.json": `${FOUR} | 2 gold_write, 4 message, 2 soft_write | read by tool-calls`,
  "04-null-reward-tau.json": `${THREE} | left out: 1 without a reward`,
  "04-null-reward-tau2.json": `${THREE_TAU2} | left out: 1 without a reward`,
  "05-no-trial-tau.json": LIKE_BASE,
  "06-error-with-partial-traj.json": `${THREE} | left out: 1 ended by an error of the runner`,
  "07-term-TerminationReason_USER_STOP.json": LIKE_BASE_TAU2,
  "07-term-infrastructure_error.json": `${THREE_TAU2} | left out: 1 ended by infrastructure_error`,
  "07-term-timeout.json": LIKE_BASE_TAU2,
  "07-term-too_many_errors.json": LIKE_BASE_TAU2,
  "07-term-unexpected_error.json": `${THREE_TAU2} | left out: 1 ended by unexpected_error`,
  "07-term-user_error.json": `${THREE_TAU2} | left out: 1 ended by user_error`,
  "08-extra-keys.jsonl": `refused: 08-extra-keys.jsonl, line 1: unknown keys reward, metadata; there are ${KEYS}`,
  "08-prompt-completion.jsonl": "refused: 08-prompt-completion.jsonl holds no rollout with an outcome: 4 without a conversation",
  "08-reward-instead.jsonl": `refused: 08-reward-instead.jsonl, line 1: outcome: it is missing, ${OUTCOMES}; unknown key reward; there are ${KEYS}`,
  "09-outcome-almost.jsonl": LIKE_BASE,
  "09-outcome-big.jsonl": "refused: 09-outcome-big.jsonl, line 2: outcome: wanted a number from 0 to 1, got 100",
  "09-outcome-float1.jsonl": LIKE_BASE,
  "09-outcome-half.jsonl":
    "4 rollouts, 2 tasks, 0 pairs | 2 gold_write, 8 message, 4 read, 2 state | read by tool-calls | note: 2 rewards between 0 and 1: kept, counted as failed",
  "09-outcome-neg.jsonl": "refused: 09-outcome-neg.jsonl, line 2: outcome: wanted a number from 0 to 1, got -1",
  "09-outcome-str.jsonl": `refused: 09-outcome-str.jsonl, line 2: outcome: ${OUTCOMES}, got "1"`,
  "09-outcome-true.jsonl": LIKE_BASE,
  "10-content-image.jsonl": `${LIKE_BASE} | note: 4 parts of messages without text: dropped (image_url)`,
  "10-content-missing.jsonl": LIKE_BASE,
  "10-content-parts-strings.jsonl":
    'refused: 10-content-parts-strings.jsonl, line 1: messages.1.content.0: wanted an object, got "please cancel"',
  "10-tool-content-dict.jsonl": "refused: 10-tool-content-dict.jsonl, line 1: messages.3.content: wanted text or a list, got an object",
  "10-tool-content-number.jsonl": "refused: 10-tool-content-number.jsonl, line 1: messages.3.content: wanted text or a list, got 12",
  "11-args-dict.jsonl": `${FOUR} | 4 gold_write, 8 message, 4 read | read by tool-calls`,
  "11-args-double-encoded.jsonl": `${FOUR} | 4 gold_write, 8 message, 4 read | read by tool-calls | note: 4 calls with arguments encoded twice`,
  "11-args-list.jsonl":
    "refused: 11-args-list.jsonl, line 1: messages.6.tool_calls.0: either messages.6.tool_calls.0.function.arguments: wanted text or an object, got a list of 1, or messages.6.tool_calls.0.name: it is missing, wanted text",
  "11-id-int.jsonl": "refused: 11-id-int.jsonl, line 1: messages.6.tool_calls.0.id: wanted text, got 7",
  "11-toolcalls-dict.jsonl": "refused: 11-toolcalls-dict.jsonl, line 1: messages.6.tool_calls: wanted a list, got an object",
  "11-toolcalls-listed-strings.jsonl":
    'refused: 11-toolcalls-listed-strings.jsonl, line 1: messages.6.tool_calls.0: wanted an object, got "{\\"id\\": \\"c2\\", \\"type\\": \\"function\\", \\"function\\": {\\"name\\": \\"canc…"',
  "11-toolcalls-string.jsonl":
    'refused: 11-toolcalls-string.jsonl, line 1: messages.6.tool_calls: wanted a list, got "[{\\"id\\": \\"c2\\", \\"type\\": \\"function\\", \\"function\\": {\\"name\\": \\"can…"',
  "12-calls-in-text.jsonl": `${FOUR} | 2 gold_write, 8 message, 4 read, 2 state | read by tool-call-tags`,
  "12-legacy-function-call-tool-role.jsonl": `${FOUR} | 2 gold_write, 8 message, 4 read, 2 state | read by function-call`,
  "12-legacy-function-role.jsonl": `${FOUR} | 2 gold_write, 8 message, 4 read, 2 state | read by function-call | note: 8 messages with another name for their role (function)`,
  "13-assistant-between-call-and-result.jsonl": `${FOUR} | 8 message, 4 state | read by tool-calls | note: 4 results after a later message of the agent: put beside their call`,
  "13-no-result-ids.jsonl": `${FOUR} | 4 error, 4 message | read by tool-calls`,
  "13-one-result-missing.jsonl": `${FOUR} | 4 error, 4 message | read by tool-calls | note: 4 calls without a result beside calls that have one: taken as not run`,
  "13-parallel-in-order.jsonl": `${FOUR} | 4 error, 4 message | read by tool-calls`,
  "13-parallel-reversed.jsonl": `${FOUR} | 4 error, 4 message | read by tool-calls`,
  "13-result-after-user.jsonl": `${FOUR} | 4 message, 4 state | read by tool-calls | note: 4 user messages before the result of a call: put behind it`,
  "13-same-id-in-message.jsonl": `${FOUR} | 4 error, 4 message | read by tool-calls`,
  "14-blank-lines.jsonl": LIKE_BASE,
  "14-bom.jsonl": LIKE_BASE,
  "14-cr.jsonl": LIKE_BASE,
  "14-crlf.jsonl": LIKE_BASE,
  "14-empty-list.json": "refused: 14-empty-list.json holds no rollout with an outcome: it holds no entry yet",
  "14-empty.json": "refused: 14-empty.json is none of the formats that are known: it is empty",
  "14-first-line-comment.jsonl":
    'refused: 14-first-line-comment.jsonl is none of the formats that are known: it begins with "# made by x\\n{\\"task_i"',
  "14-latin1.jsonl": `${LIKE_BASE} | note: 4 texts with bytes that are no UTF-8: replaced`,
  "14-linesep.jsonl": LIKE_BASE,
  "14-list-of-lines.json": LIKE_BASE,
  "14-nul.jsonl": LIKE_BASE,
  "14-surrogate-args.jsonl": `${FOUR} | 8 message, 4 read, 4 state | read by tool-calls`,
  "14-surrogate.jsonl": LIKE_BASE,
  "14-truncated.json": `${THREE} | left out: 1 cut off where the writer stopped`,
  "14-truncated.jsonl": `${THREE} | left out: 1 cut off where the writer stopped`,
  "14-utf16.jsonl": "refused: 14-utf16.jsonl is none of the formats that are known: it is UTF-16: save it as UTF-8",
  "15-bigint-number.jsonl": `${FOUR} | 2 gold_read, 4 message, 2 read | read by tool-calls`,
  "15-bigint-string.jsonl": `${FOUR} | 2 gold_read, 4 message, 2 read | read by tool-calls`,
  "15-dot.jsonl": IN_DOUBT,
  "15-exponent-like.jsonl": IN_DOUBT,
  "15-leading-zeros.jsonl": IN_DOUBT,
  "15-plus.jsonl": IN_DOUBT,
  "16-developer.jsonl": `${FOUR} | 4 message | read by no-calls | note: 4 messages with another name for their role (developer)`,
  "16-empty-messages.jsonl": "refused: 16-empty-messages.jsonl holds no rollout with an outcome: 4 without a conversation",
  "16-no-user.jsonl": `${FOUR} | 8 message, 4 read | read by tool-calls | note: 4 conversations without a user`,
  "16-only-user.jsonl": `${FOUR} | no turn | read by no-calls | note: 4 conversations in which the agent has no turn`,
  "16-roles-human-gpt.jsonl": `${FOUR} | 4 message | read by no-calls | note: 4 messages with another name for their role (gpt) | note: 4 messages with another name for their role (human)`,
  "16-two-user-in-row.jsonl": `${FOUR} | 8 message | read by no-calls | note: 8 user messages joined to the one before`,
  "17-long-ids.jsonl": LIKE_BASE,
  "17-newline-id.jsonl": LIKE_BASE,
  "17-proto.jsonl": "6 rollouts, 3 tasks, 3 pairs | 12 message, 6 read, 6 state | read by tool-calls",
  "18-all-fail.jsonl": "12 rollouts, 4 tasks, 0 pairs | 24 message, 12 read, 12 state | read by tool-calls",
  "18-all-pass.jsonl": "12 rollouts, 4 tasks, 0 pairs | 12 gold_write, 24 message, 12 read | read by tool-calls",
  "18-deep.jsonl": `${LIKE_BASE} | note: 1 calls with arguments that are no object`,
  "18-one-rollout.jsonl": "1 rollout, 1 task, 0 pairs | 2 message, 1 read, 1 state | read by tool-calls",
  "18-singletons.jsonl": "30 rollouts, 30 tasks, 0 pairs | 15 gold_write, 60 message, 30 read, 15 state | read by tool-calls",
  "19-dir": "1 rollout, 1 task, 0 pairs | 1 gold_write, 1 message | read by tool-calls",
  "19-no-simulations.json": "refused: 19-no-simulations.json holds no rollout with an outcome: it holds no entry yet",
  "19-user-tools.json": `${FOUR} | 4 message | read by no-calls | note: 8 calls and results of the user's own tools: dropped | note: 4 messages of the agent before the user's first: dropped`,
  "20-tau2-retail.json": LIKE_BASE_TAU2,
  "21-noargs-braces.json": "2 rollouts, 1 task, 0 pairs | 2 gold_read, 2 message | read by tool-calls",
  "21-noargs-empty.json": "2 rollouts, 1 task, 0 pairs | 2 gold_read, 2 message | read by tool-calls",
  "21-noargs-null.json": "2 rollouts, 1 task, 0 pairs | 2 gold_read, 2 message | read by tool-calls",
  "22-no-golden.jsonl": `${FOUR} | 8 message, 4 read, 4 state | read by tool-calls`,
  "32-python-literal-arguments.json":
    "2 rollouts, 1 task, 1 pair | 1 gold_write, 4 message, 2 read, 1 state | read by tool-calls | note: 2 calls with arguments as Python literals",
};

describe.skipIf(!hasForeignInputs)("a file from elsewhere", () => {
  const names = hasForeignInputs ? readdirSync(FOREIGN_INPUTS).filter((name) => /^\d\d-/.test(name) && !name.endsWith(".yaml")) : [];

  test.each(names)("%s", async (name) => {
    expect(await tellOf(name)).toBe(RIGHT[name]);
  });
});

async function tellOf(name: string): Promise<string> {
  try {
    const { rollouts, reading } = await readRollouts([join(FOREIGN_INPUTS, name)], { catalog, tasks: null });
    const labelled = rollouts.map(({ task, trajectory }) => labelRollout(trajectory, task, "finer/1", catalog));
    const account = [listOf(reading.excluded, "left out"), listOf(reading.notes, "note")];
    return [sizesOf(labelled), tiersOf(labelled), `read by ${Object.keys(reading.readers).join(", ")}`, ...account]
      .filter(Boolean)
      .join(" | ");
  } catch (error) {
    return `refused: ${(error as Error).message.replaceAll(`${FOREIGN_INPUTS}/`, "")}`;
  }
}

function sizesOf(rollouts: readonly LabelledRollout[]): string {
  const tasks = [...Map.groupBy(rollouts, ({ taskId }) => taskId).values()];
  const numOf = (group: readonly LabelledRollout[], wanted: number) => group.filter(({ outcome }) => outcome === wanted).length;
  const numPairs = tasks.reduce((sum, group) => sum + numOf(group, 1) * numOf(group, 0), 0);
  const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  return [counted(rollouts.length, "rollout"), counted(tasks.length, "task"), counted(numPairs, "pair")].join(", ");
}

function tiersOf(rollouts: readonly LabelledRollout[]): string {
  const tiers = Map.groupBy(
    rollouts.flatMap(({ turns }) => turns.map(({ tier }) => tier)),
    (tier) => tier,
  );
  const counts = [...tiers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([tier, turns]) => `${turns.length} ${tier}`);
  return counts.join(", ") || "no turn";
}

const listOf = (counts: Counts, word: string) =>
  Object.entries(counts)
    .map(([what, count]) => `${word}: ${count} ${what}`)
    .join(" | ");
