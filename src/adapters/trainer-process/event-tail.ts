// Follows an events.jsonl that another process appends to, and may cut back when it resumes from a checkpoint.
import { readFileSync, statSync } from "node:fs";

/** Whole lines of a file; a torn last line is not one. None when the file is not there yet. */
function wholeLines(path: string): string[] {
  const text = statSync(path, { throwIfNoEntry: false }) === undefined ? "" : readFileSync(path, "utf8");
  return text.split("\n").slice(0, -1);
}

/**
 * A reader of the lines that are new since the last look; lines that are there at the start are old. Where the file was cut back and
 * written anew, everything after the part that stayed the same is new. The files are small (one line per optimizer step).
 */
export function followLines(path: string): () => string[] {
  let seen = wholeLines(path);
  let signature = signatureOf(path);
  return () => {
    const now = signatureOf(path);
    if (now === signature) return [];
    signature = now;
    const lines = wholeLines(path);
    const firstNew = lines.findIndex((line, index) => line !== seen[index]);
    seen = lines;
    return firstNew === -1 ? [] : lines.slice(firstNew);
  };
}

function signatureOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? "" : `${stats.size} ${stats.mtimeMs}`;
}
