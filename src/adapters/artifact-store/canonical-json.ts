import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { CampaignError } from "#core/errors.ts";

/** RFC 8785 text of a JSON value: equal values give equal bytes. Throws contract.invalid for NaN, Infinity, cycles and undefined. */
export function canonicalJson(value: unknown): string {
  try {
    const text = canonicalize(value);
    if (text !== undefined) return text;
  } catch (error) {
    throw new CampaignError("contract.invalid", `not a JSON value: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  throw new CampaignError("contract.invalid", "not a JSON value: undefined");
}

/** Hash of bytes, or of a text's UTF-8 bytes, as 64 hexadecimal digits. */
export function sha256Of(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}
