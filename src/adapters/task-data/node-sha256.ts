import { createHash, type Hash } from "node:crypto";
import type { Sha256Stream } from "#environments/tau/database-hash.ts";

/** sha256 in native code, for hashing whole databases often. */
export function nodeSha256(hash: Hash = createHash("sha256")): Sha256Stream {
  return {
    update: (bytes) => void hash.update(bytes),
    copy: () => nodeSha256(hash.copy()),
    hex: () => hash.copy().digest("hex"),
  };
}
