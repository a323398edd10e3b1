// Bytes of a person's file as text. What is no UTF-8 is refused with its place: read as UTF-8 it would be other words, without a word on it.
import { CampaignError } from "#core/errors.ts";

const SAVE_AS_UTF8 = "save the file as UTF-8";

/** The text without a byte order mark. Throws config.invalid for UTF-16, and for bytes that are no UTF-8 with line and column. */
export function utf8Text(bytes: Uint8Array, name: string): string {
  if (isUtf16(bytes)) throw new CampaignError("config.invalid", `${name} is written in UTF-16`, { next: SAVE_AS_UTF8 });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CampaignError("config.invalid", `${name}: ${placeOfBadByte(bytes)}`, { cause, next: SAVE_AS_UTF8 });
  }
}

/** By its mark, or by the zero in the first character where a tool wrote none. */
function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || (first !== second && (first === 0 || second === 0));
}

function placeOfBadByte(bytes: Uint8Array): string {
  let [low, high] = [0, bytes.length]; // bytes that can be the start of UTF-8: `low` can, `high + 1` cannot
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (decodeStart(bytes.subarray(0, middle)) === null) high = middle - 1;
    else low = middle;
  }
  const before = decodeStart(bytes.subarray(0, low)) ?? "";
  const lines = before.replace(/^\uFEFF/, "").split("\n");
  const byte = bytes[Buffer.byteLength(before)]?.toString(16).padStart(2, "0");
  return `line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}: the byte 0x${byte} is no UTF-8`;
}

/** The whole characters of bytes that may end within one; null when they are no UTF-8. */
function decodeStart(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
  } catch {
    return null;
  }
}
