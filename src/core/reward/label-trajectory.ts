// From a trajectory to the tier of every turn. Only executed calls count: the benchmark runs the first call of a message.
import type { TierScheme } from "#contracts/reward-table.ts";
import type { ToldTask } from "#contracts/task.ts";
import type { ToolCall, Trajectory, Turn } from "#contracts/trajectory.ts";
import type { Environment } from "../environment/environment.ts";
import type { Reading } from "./canonical-arguments.ts";
import {
  type ArgumentReadings,
  findMatch,
  type GoldenCall,
  goldenCalls,
  MIN_PARTIAL_MATCH,
  partialMatch,
  readArguments,
  type SchemaLookup,
  schemaLookup,
} from "./golden-calls.ts";
import { createEvidence, type Evidence } from "./grounding.ts";
import type { CallFacts, TierSchemeDefinition } from "./tier-scheme.ts";
import { callScheme, MESSAGE_TIER } from "./tiers.ts";
import { createWriteReplay, type WriteReplay } from "./write-effects.ts";

export interface CallTier {
  readonly callIndex: number;
  readonly tier: string;
  /** 0.5 to 0.99 for a partial match with a golden call, else null. What the value "soft" of a reward table pays. */
  readonly match: number | null;
  /** What the call is hangs on whether a string of digits and a number are the same to the tool, which no schema says. Absent: no. */
  readonly isDoubtful?: boolean;
}

/** A turn with its tiers. `tier` is the one that speaks for the turn in statistics: its only call's, or the most salient of several. */
export interface LabelledTurn {
  readonly turn: number;
  readonly tier: string;
  readonly callTiers: readonly CallTier[];
  /** The largest partial match of the turn's calls, null when there is none. */
  readonly softMatch: number | null;
  /** Calls that the environment did not execute: they carry no tier and no reward. */
  readonly numIgnoredCalls: number;
  /** Names of the executed tools, or the tier of a turn that called none. */
  readonly action?: string;
  /** What the agent read just before the turn: the user's words or the results of its calls. */
  readonly observation?: string;
}

/** What is known about an environment's tools when its database is not at hand. */
export interface ToolCatalog extends Pick<Environment, "tools" | "isWrite" | "isTerminal"> {
  /** Whether it is known of the tool if it writes. Absent where it is known of every tool. Unknown tools are labelled as reads. */
  readonly isKnown?: (toolName: string) => boolean;
}

interface Labelling {
  readonly scheme: TierSchemeDefinition;
  readonly catalog: ToolCatalog;
  readonly schemaFor: SchemaLookup;
  readonly golden: GoldenCall[];
  readonly replay: WriteReplay | null;
  readonly evidence: Evidence;
  readonly seen: Readonly<Record<Reading, Set<string>>>;
}

/**
 * The tier of every turn, in order. Rules per call: error, gold (consumes its golden call), duplicate, then what the scheme makes
 * of partial matches, writes and reads. With a whole environment the calls are replayed and writes are judged by their effect;
 * with a catalog of tools alone their effect stays unknown. methods.md 13.6.
 */
export function labelTrajectory(
  trajectory: Trajectory,
  task: ToldTask,
  scheme: TierScheme,
  environment: Environment | ToolCatalog,
): LabelledTurn[] {
  const schemaFor = schemaLookup(environment.tools);
  const labelling: Labelling = {
    scheme: callScheme(scheme),
    catalog: environment,
    schemaFor,
    golden: goldenCalls(task, schemaFor),
    replay: "reset" in environment ? createWriteReplay(environment) : null,
    evidence: createEvidence(trajectory),
    seen: { exact: new Set(), lenient: new Set() },
  };
  const isUnparsable = trajectory.outcome.stopReason === "unparsable";
  return trajectory.turns.map((turn, position) => {
    const isLast = position === trajectory.turns.length - 1;
    const observation = position === 0 ? trajectory.firstUserMessage : observationAfter(trajectory.turns[position - 1]);
    const labelled = { ...labelTurn(turn, position, isUnparsable && isLast, labelling), observation };
    labelling.evidence.observe(turn);
    return labelled;
  });
}

function labelTurn(turn: Turn, position: number, isUnparsable: boolean, labelling: Labelling): LabelledTurn {
  const callTiers = turn.toolCalls.flatMap((call, callIndex) => (call.isExecuted ? [labelCall(call, callIndex, position, labelling)] : []));
  const matches = callTiers.flatMap((call) => (call.match === null ? [] : [call.match]));
  const silentTier = isUnparsable ? "error" : MESSAGE_TIER;
  const executed = turn.toolCalls.filter((call) => call.isExecuted).map((call) => call.name);
  return {
    turn: turn.index,
    tier:
      labelling.scheme.salience.find((tier) => callTiers.some((call) => call.tier === tier)) ??
      labelling.scheme.classifySilent(silentTier, { turn: position }),
    action: executed.length === 0 ? silentTier : executed.join(" "),
    callTiers,
    softMatch: matches.length === 0 ? null : Math.max(...matches),
    numIgnoredCalls: turn.toolCalls.length - callTiers.length,
  };
}

/** What the agent reads after a turn. */
function observationAfter(turn: Turn | undefined): string {
  const results = turn?.toolCalls.flatMap((call) => (call.result === null ? [] : [call.result])) ?? [];
  return [...results, ...(turn?.userReply ? [turn.userReply] : [])].join("\n");
}

function labelCall(call: ToolCall, callIndex: number, position: number, labelling: Labelling): CallTier {
  const facts = callFacts(call, position, labelling);
  labelling.replay?.advance(call);
  return {
    callIndex,
    tier: labelling.scheme.classify(facts),
    match: facts.partialMatch,
    ...(facts.isDoubtful ? { isDoubtful: true } : {}),
  };
}

/** Facts about the next call. Marks the golden call that it matches as used. */
function callFacts(call: ToolCall, turn: number, labelling: Labelling): CallFacts {
  const { catalog, golden, replay } = labelling;
  const args = readArguments(call.argumentsJson, labelling.schemaFor(call.name));
  const lenient = lenientFacts(call, args, labelling);
  const isDuplicate = !remember(call, args, labelling.seen, "exact");
  const exact = call.isError ? undefined : findMatch(golden, call.name, args);
  const isWrite = catalog.isWrite(call.name);
  const isOpenWrite = isWrite && !call.isError && exact === undefined && !isDuplicate;
  const equivalent = isOpenWrite ? replay?.findEquivalent(call, golden) : undefined;
  const matched = exact ?? equivalent;
  if (matched !== undefined) matched.isUsed = true;
  const isOpen = !call.isError && exact === undefined && !isDuplicate;
  const certain = isOpen ? partialMatch(golden, call.name, args) : null;
  /** What replay has shown of a write is not in doubt. */
  const isJudged = isWrite && replay !== null;
  const isDoubtful = isOpen && !isJudged && (lenient.isGold || lenient.isDuplicate || lenient.partialMatch !== certain);
  return {
    name: call.name,
    turn,
    isError: call.isError,
    isGold: exact !== undefined,
    isDuplicate,
    isWrite,
    isTransfer: catalog.isTerminal(call.name),
    partialMatch: isDoubtful && lenient.isGold ? Math.max(MIN_PARTIAL_MATCH, certain ?? 0) : certain,
    isDoubtful,
    isGrounded: !isOpenWrite || labelling.evidence.findUngrounded(call.argumentsJson, labelling.schemaFor(call.name)).length === 0,
    effect: equivalent !== undefined ? "equivalent" : replay === null ? "unknown" : "different",
  };
}

/** What the call would be if every string of digits were a number where no schema says what it is. Comes before its exact facts. */
function lenientFacts(call: ToolCall, args: ArgumentReadings, { golden, seen }: Labelling) {
  return {
    isDuplicate: !remember(call, args, seen, "lenient"),
    isGold: findMatch(golden, call.name, args, "lenient") !== undefined,
    partialMatch: partialMatch(golden, call.name, args, "lenient"),
  };
}

/** False when a call of this name and these arguments was seen before. Unparsable arguments are compared as text. */
function remember(call: ToolCall, readings: ArgumentReadings, seen: Labelling["seen"], reading: Reading): boolean {
  const args = readings[reading];
  const key = JSON.stringify([call.name, args === null ? call.argumentsJson : [...args]]);
  if (seen[reading].has(key)) return false;
  seen[reading].add(key);
  return true;
}
