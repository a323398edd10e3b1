// Answers of user models at temperature 0, by the hash of everything that was asked: in memory and, given a folder, on disk.
// A cache may only ever save money: an entry that cannot be read or written is a warning and a call more.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { canonicalJson, sha256Hex } from "#core/canonical-json.ts";
import { isErrno, replaceFile, writeTemporary } from "../artifact-store/durable-file.ts";
import { readSettings } from "../settings.ts";

export interface ReplyCache {
  /** The text that was answered to this request, or null. Never throws. */
  read(request: unknown): Promise<string | null>;
  /** Never throws. */
  write(request: unknown, text: string): Promise<void>;
}

export interface ReplyCacheOptions {
  /** Holds `ab/abcd….json`; null: in memory only. */
  readonly folder: string | null;
  readonly onWarning?: (message: string) => void;
}

const Entry = z.strictObject({ schemaVersion: z.literal(1), request: z.json(), text: z.string(), sha256: z.string() });
const MAX_REMEMBERED = 20_000;

export function createReplyCache({ folder, onWarning = () => {} }: ReplyCacheOptions): ReplyCache {
  const remembered = new Map<string, string>();
  const remember = (key: string, text: string): void => {
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(key, text);
  };
  const pathOf = (root: string, key: string) => join(root, key.slice(0, 2), `${key}.json`);
  return {
    async read(request) {
      const canonical = canonicalJson(request);
      const key = sha256Hex(canonical);
      const known = remembered.get(key);
      if (known !== undefined || folder === null) return known ?? null;
      const text = await readEntry(pathOf(folder, key), canonical, onWarning);
      if (text !== null) remember(key, text);
      return text;
    },
    async write(request, text) {
      const canonical = canonicalJson(request);
      const key = sha256Hex(canonical);
      remember(key, text);
      if (folder === null) return;
      const path = pathOf(folder, key);
      const entry = { schemaVersion: 1, request, text, sha256: digest(canonical, text) };
      try {
        await replaceFile(await writeTemporary(join(folder, key.slice(0, 2)), new TextEncoder().encode(JSON.stringify(entry))), path);
      } catch (error) {
        onWarning(`the reply cache cannot write ${path}: ${(error as Error).message}`);
      }
    },
  };
}

/** The text, or null when there is no entry or it is not what was written. */
async function readEntry(path: string, canonical: string, onWarning: (message: string) => void): Promise<string | null> {
  try {
    const { request, text, sha256 } = Entry.parse(JSON.parse(await readFile(path, "utf8")));
    if (canonicalJson(request) === canonical && sha256 === digest(canonical, text)) return text;
    onWarning(`the reply cache holds another answer than was written: ${path}; it is asked for again`);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) onWarning(`the reply cache cannot read ${path}; it is asked for again`);
  }
  return null;
}

const digest = (canonical: string, text: string): string => sha256Hex(canonicalJson([canonical, text]));

/** Where this checkout keeps answers. */
export const simulatorCache = (onWarning: (message: string) => void): ReplyCacheOptions => ({
  folder: join(readSettings().home, "cache", "simulator"),
  onWarning,
});
