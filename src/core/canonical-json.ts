// Canonical JSON (RFC 8785) and its hash: equal values, equal text, equal sha256, in any language.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import canonicalize from "canonicalize";
import { CampaignError } from "./errors.ts";

/** The one text of a JSON value: keys sorted, no spaces. Throws contract.invalid for NaN, infinities and values that JSON has not. */
export function canonicalJson(value: unknown): string {
  try {
    const text = canonicalize(value);
    if (text !== undefined) return text;
  } catch (cause) {
    throw new CampaignError("contract.invalid", `value has no canonical JSON: ${String(cause)}`, { cause });
  }
  throw new CampaignError("contract.invalid", "value has no canonical JSON");
}

/** sha256 of UTF-8 text or of bytes, as 64 hexadecimal digits. */
export function sha256Hex(input: string | Uint8Array): string {
  return bytesToHex(sha256(typeof input === "string" ? utf8ToBytes(input) : input));
}

/** sha256 of the canonical JSON of a value. */
export function hashJson(value: unknown): string {
  return sha256Hex(canonicalJson(value));
}
