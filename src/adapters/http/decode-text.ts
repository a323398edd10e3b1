// The text of an answer's bytes: by the charset that it names, by its byte order mark, else as UTF-8. Never half guessed: a byte that is no
// letter of its charset would change what somebody said.
import { CampaignError } from "#core/errors.ts";
import { startOf } from "#core/text.ts";

const MARKS: readonly (readonly [string, readonly number[]])[] = [
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
];

/**
 * `contentType`: the header, empty where there is none. `isStrict` false reads what it can, for the words of an error that is told by its status.
 * throws  provider.invalid-response for a charset that is not known here, and for bytes that are none of it
 */
export function decodeText(bytes: Uint8Array, contentType: string, isStrict: boolean): string {
  const named = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1];
  const marked = MARKS.find(([, mark]) => mark.every((byte, index) => bytes[index] === byte))?.[0];
  const charset = marked ?? named ?? "utf-8";
  const decoder = decoderOf(charset, isStrict);
  if (decoder === null) {
    if (isStrict) throw invalid(`the answer is in the charset ${JSON.stringify(startOf(charset, 40))}, which cannot be read here`);
    return new TextDecoder().decode(bytes);
  }
  try {
    return decoder.decode(bytes);
  } catch {
    const says =
      named === undefined && marked === undefined
        ? "names no charset and is not UTF-8"
        : `says that it is ${startOf(charset, 40)}, and is not`;
    throw invalid(`the answer ${says}`);
  }
}

function decoderOf(charset: string, fatal: boolean): InstanceType<typeof TextDecoder> | null {
  try {
    return new TextDecoder(charset, { fatal });
  } catch {
    return null;
  }
}

const invalid = (what: string): CampaignError =>
  new CampaignError("provider.invalid-response", what, { next: "let the endpoint, or what stands before it, answer in UTF-8" });
