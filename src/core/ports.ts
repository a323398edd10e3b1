// What the core asks of the outside world. Adapters implement these; activities receive them; nothing here does I/O.
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import type { Task } from "#contracts/task.ts";
import type { ToolCall, Turn, TurnTokens } from "#contracts/trajectory.ts";

/** The record. Names are relative slash paths below the store's root; a name that leaves it is an error. */
export interface ArtifactStore {
  /** Stores bytes under their hash. The same bytes again are a no-op. */
  putBlob(bytes: Uint8Array, schema: string): Promise<ArtifactRef>;
  /** Stores a local file under its hash without reading it into memory at once; nothing is copied when the blob is there already. */
  putBlobFile(path: string, schema: string, options?: PutFileOptions): Promise<ArtifactRef>;
  /** Bytes of a blob, verified against the hash. Throws store.missing, store.dropped or store.corrupt. */
  getBlob(ref: ArtifactRef): Promise<Uint8Array>;
  /** A local path that holds the blob, verified once; for programs that want a file. Read only. */
  localPath(ref: ArtifactRef): Promise<string>;
  /** Makes a blob young, as storing it again does: for whoever names it in a manifest anew. False when it is not there. */
  touchBlob(sha256: string): Promise<boolean>;
  /** First writer wins; an equal second write is a no-op; a different one throws store.conflict. */
  putOnce(name: string, value: unknown): Promise<void>;
  /** The JSON value, or null when there is none. */
  read(name: string): Promise<unknown>;
  /** Names below a prefix, sorted. A prefix is a folder, with or without the last slash, or one full name. */
  list(prefix: string): Promise<string[]>;
  /** The folders directly below a prefix, by their last segment, sorted. */
  listFolders(prefix: string): Promise<string[]>;
  /** Removes journal entries only: names below a `turns/` folder. */
  removeJournal(prefix: string): Promise<void>;
}

export interface PutFileOptions {
  /** The file is never written again under its name, only replaced or removed: the blob may be another name of the same bytes. */
  readonly isFinal?: boolean;
}

/**
 * What garbage collection asks of the record beside reading it. A blob is as old as its last `putBlob`, `putBlobFile` or `touchBlob`; whoever
 * does one of these has until the grace period is over to write the manifest that names it.
 */
export interface CollectableStore extends ArtifactStore {
  /** Every name that is neither a blob nor a journal nor temporary. */
  listManifests(): Promise<string[]>;
  listBlobs(): AsyncIterable<StoredBlob>;
  /** Removes a blob unless it was touched after `before` (milliseconds since 1970). False when it stays or is not there. */
  removeBlob(sha256: string, before: number): Promise<boolean>;
  /** Puts back what a removal that was killed has left half done. */
  restoreRemovals(): Promise<void>;
  /** Removes what writers that were killed have left half written. `isDryRun` only counts it. `now`: milliseconds since 1970. */
  sweepTemporaries(options: { readonly now: number; readonly isDryRun?: boolean }): Promise<SweptFiles>;
  /** When a manifest got its name, or later: milliseconds since 1970 by the store's clock. null when it is not there. */
  writtenAt(name: string): Promise<number | null>;
}
export interface SweptFiles {
  readonly count: number;
  readonly numBytes: number;
}
export interface StoredBlob {
  readonly sha256: string;
  readonly numBytes: number;
  /** Milliseconds since 1970. */
  readonly touchedAt: number;
}

/** The turn journal of one rollout in flight: what happened, in order, before the next turn began. */
export interface TurnJournal {
  read(): Promise<JournalEntry[]>;
  append(entry: JournalEntry): Promise<void>;
}
/** The turn journals of a record, by their names below a `turns/` folder. Throws contract.invalid for another name. */
export interface Journals {
  open(name: string): TurnJournal;
}
/** An opening, then the turns in order; after a restart the same again, and what stands before it counts for the cost alone. */
export type JournalEntry =
  | ({ readonly type: "opening"; readonly firstUserMessage: string; readonly simulatorUsage: ModelUsage } & SimulatorNotes)
  | ({
      readonly type: "turn";
      readonly turn: Turn;
      readonly tokens: TurnTokens | null;
      /** Why the model's output could not be read; such a turn ends the rollout. */
      readonly parseError: string | null;
      readonly usage: ModelUsage;
      readonly simulatorUsage: ModelUsage;
      /** The environment said that the episode is over. Absent: it did not. */
      readonly isLast?: true | undefined;
      /** Of an environment that restores: what its next episode is opened from. */
      readonly snapshot?: string | undefined;
    } & SimulatorNotes)
  | { readonly type: "restart" };
/** What a reply leaves behind beside its words. Absent: nothing. */
export interface SimulatorNotes {
  /** What the user model reads as its own message later on, thoughts included, when that is more than it said. */
  readonly simulatorMemory?: string | undefined;
  /** Replies that were made again or flagged before this one, counted by error code. */
  readonly simulatorTroubles?: Readonly<Record<string, number>> | undefined;
}

export interface ModelUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly calls: number;
  /** Of the completion tokens; absent where the server does not say. */
  readonly reasoningTokens?: number | undefined;
}

/** Time, for the code that waits. Milliseconds; `sleep` rejects with the signal's reason when it is aborted. */
export interface Clock {
  now(): number;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** The conversation so far, as the agent sees it. Tool results are inside the turns. */
export interface Conversation {
  readonly systemPrompt: string;
  readonly tools: readonly ToolSchema[];
  /** What the agent said before the first user message; absent: nothing. */
  readonly greeting?: string;
  readonly firstUserMessage: string;
  readonly turns: readonly AgentTurnRecord[];
}
export interface AgentTurnRecord {
  readonly turn: Turn;
  readonly tokens: TurnTokens | null;
}

/** An OpenAI tool schema, passed to the model as it is. */
export interface ToolSchema {
  readonly type: "function";
  readonly function: { readonly name: string; readonly description: string; readonly parameters: Readonly<Record<string, unknown>> };
}

/** What a policy answers. Unparsable output is data: `parseError` says why, and the harness ends the rollout as agent_error. */
export interface AgentTurn {
  readonly content: string | null;
  /** What the server hands apart from the message. Absent: nothing. */
  readonly reasoning?: string | undefined;
  readonly toolCalls: readonly Pick<ToolCall, "id" | "name" | "argumentsJson">[];
  readonly tokens: TurnTokens | null;
  readonly finishReason: Turn["finishReason"];
  readonly parseError: string | null;
  readonly usage: ModelUsage;
}

/** A served policy. Throws CampaignError of the provider family; context overflow is "provider.context-overflow". */
export interface Policy {
  readonly ref: PolicyRef;
  readonly format: string;
  respond(conversation: Conversation, options: { readonly seed: number; readonly signal: AbortSignal }): Promise<AgentTurn>;
}

/** Plays the user. A pure function of task, conversation and seed for the scripted one; throws simulator.* or provider.* otherwise. */
export interface UserSimulator {
  readonly id: string;
  readonly hash: string;
  reply(task: Task, conversation: SimulatorView, options: SimulatorOptions): Promise<SimulatorReply>;
}
export interface SimulatorOptions {
  readonly seed: string;
  readonly signal: AbortSignal;
  /** How many golden writes nothing was done for yet. For judging a stop; no prompt ever depends on it. Absent: 0. */
  readonly countPendingWrites?: () => number;
  /** Told what went wrong before every wait and every new try. */
  readonly onTrouble?: ((trouble: Error) => void) | undefined;
}
export interface SimulatorReply {
  readonly content: string;
  /** Of all calls behind the reply, those of rejected attempts included. */
  readonly usage: ModelUsage;
  readonly memory?: string | undefined;
  readonly troubles?: Readonly<Record<string, number>> | undefined;
}
/** What the user hears: never tool calls, never reasoning. `firstUserMessage` is null when the user opens. */
export interface SimulatorView {
  /** What the agent said first, where it opens: the user's first message answers it. Absent: the user opens. */
  readonly greeting?: string;
  readonly firstUserMessage: string | null;
  readonly exchanges: readonly { readonly agent: string; readonly user: string | null }[];
  /** The user model's own memory of its messages, the opening first; null where it is what was said. Absent: all null. */
  readonly memories?: readonly (string | null)[];
}
