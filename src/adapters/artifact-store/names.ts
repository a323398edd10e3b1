// Names inside the record. A name is a relative slash path of plain segments, so that no name can leave the store's root.
import type { Sha256 } from "#contracts/artifact-ref.ts";
import { CampaignError } from "#core/errors.ts";

const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._=@+-]*$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** The name itself when it is well formed. Throws contract.invalid for an absolute path, "..", a hidden or an empty segment. */
export function checkName(name: string): string {
  const isWellFormed = name.split("/").every((segment) => SEGMENT.test(segment));
  if (!isWellFormed) throw new CampaignError("contract.invalid", `not a name inside the record: ${JSON.stringify(name)}`);
  return name;
}

/** Where a blob lives: blobs/sha256/ab/abcd…. Throws contract.invalid when the hash is none. */
export function blobName(sha256: Sha256): string {
  if (!SHA256.test(sha256)) throw new CampaignError("contract.invalid", `not a sha256: ${JSON.stringify(sha256)}`);
  return `blobs/sha256/${sha256.slice(0, 2)}/${sha256}`;
}

/** A folder's name without its last slash; "" is the root. Throws contract.invalid like `checkName`. */
export function checkPrefix(prefix: string): string {
  const name = prefix.replace(/\/$/, "");
  return name === "" ? name : checkName(name);
}

/** A name that `putOnce` may write: anywhere but among the blobs, the temporary files and the journals. */
export function checkManifestName(name: string): string {
  if (!isManifestName(checkName(name))) throw new CampaignError("contract.invalid", `not a manifest name: ${JSON.stringify(name)}`);
  return name;
}

/** Top folders of the record that hold no manifests. */
export const RESERVED_FOLDERS: readonly string[] = ["blobs", "tmp", "trash"];

export function isManifestName(name: string): boolean {
  const isWellFormed = name.split("/").every((segment) => SEGMENT.test(segment));
  return isWellFormed && !RESERVED_FOLDERS.includes(name.split("/")[0] ?? "") && !isJournalName(name);
}

/** Where it is told that a blob was let go by a campaign's retention. */
export const droppedName = (sha256: Sha256): string => `dropped/${sha256}.json`;

/** The name of a turn journal. Throws contract.invalid when it is none. */
export function checkJournalName(name: string): string {
  if (!isJournalName(checkName(name))) throw new CampaignError("contract.invalid", `not a journal name: ${JSON.stringify(name)}`);
  return name;
}

/** True for names below a `turns/` folder, which go when their group is committed. */
export function isJournalName(name: string): boolean {
  return name.split("/").includes("turns");
}
