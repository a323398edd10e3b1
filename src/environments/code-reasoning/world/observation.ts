// What the model reads of a cell. The first line of an error says of which kind it is, so the kind can be read back from a trajectory.
import type { ToolCall } from "#contracts/trajectory.ts";
import type { Observation } from "#core/environment/episode.ts";
import { shortenMiddle } from "#core/text.ts";
import type { CellErrorKind, CellOutcome } from "../code-runtime.ts";

/** format: a call that cannot be read. cells: one cell too many, which was not run. The others are the runtime's. */
type CallErrorKind = CellErrorKind | "format" | "cells";

/** Output and the value of the last expression, or the kind of the error, output and traceback; at most so many characters. */
export function observationOf({ stdout, result, error }: CellOutcome, maxCharacters: number): Observation {
  if (error === null) return { text: shortenMiddle(lines(stdout, result), maxCharacters) || "(no output)", isError: false };
  // How much a cell wrote until it was killed depends on the machine: shown, it would make an episode that cannot be played again.
  const written = error.kind === "timeout" ? "" : stdout;
  return errorObservation(error.kind, shortenMiddle(lines(written, error.text), maxCharacters));
}

export function errorObservation(kind: CallErrorKind, text: string): Observation {
  return { text: `[${kind}]\n${text}`, isError: true };
}

/** Null for a call that went well, and for one that was not executed. */
export function errorKindOf({ isError, result }: Pick<ToolCall, "isError" | "result">): CallErrorKind | null {
  const [, kind] = isError ? (/^\[([a-z]+)\]\n/.exec(result ?? "") ?? []) : [];
  return (kind as CallErrorKind | undefined) ?? null;
}

function lines(...parts: readonly (string | null)[]): string {
  return parts
    .map((part) => part?.replace(/\n+$/, "") ?? "")
    .filter((part) => part !== "")
    .join("\n");
}
