// Looks at one conversation for what a simulated user should not have done: state facts that are not so, hang up before the last write,
// or say what only the golden actions know.
import type { UserFlag } from "#contracts/simulator-audit.ts";
import type { GoldenTask } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import type { Environment } from "#core/environment/environment.ts";
import { isPrematureStop, pendingWrites } from "#core/rollout/premature-stop.ts";
import { spokenText } from "#core/rollout/spoken-text.ts";
import { startOf } from "#core/text.ts";
import { AIRPORTS } from "#environments/tau/airline/airports.ts";
import { type Fact, factsOf, Knowledge, type Places } from "./facts.ts";

const STOP_WORDS = /###[A-Z-]+###/g;
/** Airports have a code and a city; some cities go by more names. */
const NEW_YORK = ["JFK", "LGA", "EWR", "New York", "NYC", "NY", "LaGuardia", "Newark"];
const NICKNAMES: Readonly<Record<string, readonly string[]>> = {
  "New York": NEW_YORK,
  LaGuardia: NEW_YORK,
  Newark: NEW_YORK,
  "San Francisco": ["SF"],
  "Los Angeles": ["LA"],
  Philadelphia: ["Philly"],
  "Las Vegas": ["Vegas"],
  Dallas: ["Fort Worth"],
};
const PLACES: Places = AIRPORTS.map(([code, city]) => [code, city, ...(NICKNAMES[city] ?? [])]);
const RELATIVE_DAYS = /\b(tomorrow|yesterday|next|previous|later|earlier|before|after|following|return|days?)\b/i;

export type FlaggedConversation = Pick<Trajectory, "taskId" | "trial" | "firstUserMessage" | "turns">;

export interface FlagContext {
  readonly task: GoldenTask;
  readonly environment: Pick<Environment, "isWrite" | "isTerminal" | "tools">;
  /** What the database says about this user: true, if not told to the user. */
  readonly records: readonly string[];
}

/** Flags in the order of the conversation; every fact once. What the user only thought, where a harness kept that with its words, is no statement. */
export function flagUser(conversation: FlaggedConversation, context: FlagContext): UserFlag[] {
  const { taskId, trial, turns } = conversation;
  const firstUserMessage = spokenText(conversation.firstUserMessage);
  const told = new Knowledge(context.task.instruction, context.task.userId.replaceAll("_", " "), context.task.userId);
  const real = new Knowledge(...context.records);
  const seen = new Set<string>();
  const flags: UserFlag[] = [];
  const listen = (message: string, index: number): void => {
    for (const { kind, what } of [...leaksOf(message, told, context), ...wrongFactsOf(message, told, real, context)]) {
      if (seen.has(`${kind} ${what}`)) continue;
      seen.add(`${kind} ${what}`);
      flags.push({ kind, taskId, trial, message: index, what, quote: quoteOf(message) });
    }
  };
  listen(firstUserMessage, 0);
  const exchanges: { agent: string; user: string | null }[] = [];
  for (const [index, turn] of turns.entries()) {
    for (const call of turn.toolCalls) if (call.result !== null) real.add(call.result);
    if (turn.userReply === null) continue;
    const agent = spokenText(turn.content ?? "");
    const user = spokenText(turn.userReply);
    told.add(agent);
    listen(user, exchanges.length + 1);
    const pending = pendingWrites(context.task, turns.slice(0, index), context.environment);
    const view = { firstUserMessage, exchanges: [...exchanges, { agent, user: null }] };
    if (isPrematureStop({ task: context.task, view, reply: user, numPendingWrites: pending.length })) {
      const what = `not done: ${pending.join(", ")}`;
      flags.push({ kind: "early-stop", taskId, trial, message: exchanges.length + 1, what, quote: quoteOf(user) });
    }
    exchanges.push({ agent, user });
  }
  return flags;
}

type Finding = Pick<UserFlag, "kind" | "what">;

/** Tool names, and ids of golden arguments that neither the task nor the agent has named. */
function leaksOf(message: string, told: Knowledge, { task, environment }: FlagContext): Finding[] {
  const toolNames = new Set([...environment.tools.map((tool) => tool.function.name), ...task.goldenActions.map(({ name }) => name)]);
  const tools = Array.from(toolNames).filter((name) => name.includes("_") && message.includes(name));
  const golden = new Knowledge(...task.goldenActions.map(({ argumentsJson }) => argumentsJson));
  const ids = factsOf(message, []).filter((fact) => fact.kind === "id" && golden.has(fact) && !told.has(fact));
  return [...tools.map((name) => `tool ${name}`), ...ids.map(({ text }) => text)].map((what) => ({ kind: "gold-leak", what }));
}

/** Facts that stand neither in the task, nor in what the agent said, nor in the user's records, nor in the golden actions. */
function wrongFactsOf(message: string, told: Knowledge, real: Knowledge, { task }: FlagContext): Finding[] {
  const golden = new Knowledge(...task.goldenActions.map(({ argumentsJson }) => argumentsJson));
  return factsOf(message.replaceAll(STOP_WORDS, ""), PLACES)
    .filter((fact) => ![told, real, golden].some((knowledge) => knowledge.has(fact)) && !canFollow(fact, task))
    .map(({ kind, text }) => ({ kind: "wrong-fact", what: `${kind} ${text}` }));
}

/** A date may be worked out from others when the task speaks of days relatively. */
const canFollow = ({ kind }: Fact, task: GoldenTask): boolean => kind === "date" && RELATIVE_DAYS.test(task.instruction);

const MAX_QUOTE = 200;
const quoteOf = (message: string): string => (message.length <= MAX_QUOTE ? message : `${startOf(message, MAX_QUOTE)}…`);
