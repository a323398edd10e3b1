// How a conversation of a task set goes, as data: who opens, what ends it, and what of a message is executed.
import type { StopReason, ToolCall, Turn } from "#contracts/trajectory.ts";

export interface Protocol {
  /**
   * `user`: a user opens and answers. `agent`: the agent greets, a user answers that and everything after. `task`: the task's instruction is
   * the first message, and nobody answers.
   */
  readonly opens: "user" | "agent" | "task";
  /** Where the agent opens: its first words, the same in every rollout. No policy is asked for them, none is trained on them. */
  readonly greeting?: string;
  /** The user's words for "I am done"; anywhere in a reply. */
  readonly stopTokens: readonly string[];
  /** Tools that end the conversation when they are called. */
  readonly terminalTools: readonly string[];
  /** Of these the ones that give it to somebody else: it ends as a transfer, and counts as a change of the world. */
  readonly handOverTools: readonly string[];
  /** How many tool calls of a message are executed; the others are recorded and never run. Nothing is run after a terminal tool. */
  readonly callsPerMessage: "first" | "all";
  readonly limits: {
    /** Null: the campaign's alone. */
    readonly maxTurns: number | null;
    /** Failed calls after which the conversation is cut; null: no limit. */
    readonly maxErrors: number | null;
  };
}

/** tau-bench's: the user opens, the first call of a message is executed, ###STOP### or a hand-over ends it. */
export function tauProtocol(handOverTools: readonly string[]): Protocol {
  return {
    opens: "user",
    stopTokens: ["###STOP###"],
    terminalTools: handOverTools,
    handOverTools,
    callsPerMessage: "first",
    limits: { maxTurns: null, maxErrors: null },
  };
}

/** What the agent has said before the conversation begins; absent where it does not open. */
export function greetingOf({ opens, greeting }: Protocol): { readonly greeting?: string } {
  return opens === "agent" && greeting !== undefined ? { greeting } : {};
}

/** The calls of a message that are executed. */
export function executedCalls<Call extends Pick<ToolCall, "name">>(protocol: Protocol, calls: readonly Call[]): readonly Call[] {
  if (protocol.callsPerMessage === "first") return calls.slice(0, 1);
  const end = calls.findIndex(({ name }) => protocol.terminalTools.includes(name));
  return end === -1 ? calls : calls.slice(0, end + 1);
}

/** True when the user says that it is done. */
export function saysStop({ stopTokens }: Pick<Protocol, "stopTokens">, reply: string): boolean {
  return stopTokens.some((token) => reply.includes(token));
}

/** How the agent ended the conversation with this turn, or null when it did not. */
export function agentsEnding(protocol: Protocol, turn: Turn): Extract<StopReason, "transfer" | "agent-stop"> | null {
  const terminal = turn.toolCalls.find(({ name, isExecuted }) => isExecuted && protocol.terminalTools.includes(name));
  if (terminal !== undefined) return protocol.handOverTools.includes(terminal.name) ? "transfer" : "agent-stop";
  return protocol.opens === "task" && turn.toolCalls.length === 0 ? "agent-stop" : null;
}
