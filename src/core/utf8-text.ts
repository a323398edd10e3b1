// The text of a file that a person wrote: what is no text is refused, not guessed.
import { CampaignError } from "./errors.ts";

/** Without a byte order mark. Throws contract.invalid where the bytes are no UTF-8. */
export function utf8Text(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CampaignError("contract.invalid", `${path} is no UTF-8 text`, { cause, next: "save it as UTF-8" });
  }
}
