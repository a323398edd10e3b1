// What a store says when it cannot give what was asked for: the same words and codes in every store.
import { DroppedBlob } from "#contracts/retention.ts";
import { CampaignError } from "#core/errors.ts";
import type { ArtifactStore } from "#core/ports.ts";
import { blobName, droppedName } from "./names.ts";

/** store.corrupt: the bytes under a blob's name are not those of its hash. */
export function corruptBlob(name: string): CampaignError {
  return new CampaignError("store.corrupt", `${name} does not hold the bytes of its hash`, {
    next: "restore the file from a backup; the blob is written again when the same bytes are stored again after its removal",
  });
}

/** store.missing, or store.dropped where the record says that a retention let the blob go. */
export async function missingBlob(store: Pick<ArtifactStore, "read">, sha256: string, cause?: unknown): Promise<CampaignError> {
  const note = DroppedBlob.safeParse(await store.read(droppedName(sha256))).data;
  if (note === undefined) return missingName(blobName(sha256), cause);
  return new CampaignError(
    "store.dropped",
    `${blobName(sha256)} was dropped by retention on ${note.droppedAt.slice(0, 10)}: ${note.reason}`,
    {
      cause,
      next: "docs/retention.md says what can still be done without it, and how to keep more in the next campaign",
    },
  );
}

export function missingName(name: string, cause?: unknown): CampaignError {
  return new CampaignError("store.missing", `not in the record: ${name}`, { cause });
}

/** The value of a manifest's text. Throws store.corrupt. */
export function parseManifest(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CampaignError("store.corrupt", `${name} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** store.conflict: another value is under the name of a manifest. */
export function conflictingName(name: string): CampaignError {
  return new CampaignError("store.conflict", `${name} is already written with other content; the record is written once`);
}
