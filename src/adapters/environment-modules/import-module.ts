// A TypeScript file of somebody else's, run by Node as it is, with an account of every file that comes with it.
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire, type LoadHookSync, type ResolveHookSync, registerHooks } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { REPOSITORY } from "../settings.ts";
import { type Place, placeIn } from "./place.ts";

/** What a module imports of Turnwise, wherever it lies. */
const AUTHORING = "turnwise/environment";
const AUTHORING_FILE = join(REPOSITORY, "src", "environments", "authoring.ts");
const OUR_SOURCES = join(REPOSITORY, "src") + sep;

/** Node keeps a module by its URL. With this in it every import is a new one, of the files as they are now, and tells what belongs to it. */
const MARK = /\?turnwise-import=([0-9a-f-]+)$/;

export interface ImportedModule {
  readonly exported: Readonly<Record<string, unknown>>;
  /** sha256 over the file and what it imports by a path, with their names as seen from its folder. */
  readonly sha256: string;
}

interface Import {
  /** sha256 of the bytes that are run, by path. */
  readonly files: Map<string, string>;
  isDone: boolean;
}

/** An error whose place Node does not tell: an import that leads nowhere, JavaScript that is none. */
class Placed extends Error {
  readonly place: Place;
  constructor(place: Place, cause: Error) {
    super(cause.message.replace(/ imported from .*$/s, ""), { cause });
    this.name = cause.name;
    this.place = place;
  }
}

const imports = new Map<string, Import>();
let isHooked = false;
const nodeImport = createRequire(import.meta.url)("./node-import.cjs") as (url: string) => Promise<ImportedModule["exported"]>;

/** `path`: absolute, with its links followed. Throws what the module throws, and Node's errors for a file that is no module. */
export async function importModule(path: string): Promise<ImportedModule> {
  if (!isHooked) registerHooks({ resolve, load });
  isHooked = true;
  const id = randomUUID();
  const known: Import = { files: new Map(), isDone: false };
  imports.set(id, known);
  try {
    const exported = await nodeImport(`${pathToFileURL(path).href}?turnwise-import=${id}`);
    known.isDone = true;
    return { exported, sha256: hashOf(path, known) };
  } catch (error) {
    if (!(error instanceof Error) || placeOf(error) !== null) throw error;
    throw new Placed({ path: [...known.files.keys()].at(-1) ?? path, line: null, column: null }, error); // a file is compiled as soon as it is loaded
  }
}

/** Where in a module an error was thrown: the innermost of its files in the stack. Null when the stack says none. */
export const placeOf = (error: unknown): Place | null => (error instanceof Placed ? error.place : placeIn(error, MARKED_FRAME));
const MARKED_FRAME = /file:\/\/(?<path>\/[^\s?]*)\?turnwise-import=[0-9a-f-]+:(?<line>\d+)(:(?<column>\d+))?/;

function hashOf(entry: string, { files }: Import): string {
  const named = [...files].map(([path, sha256]) => [relative(dirname(entry), path).split(sep).join("/"), sha256] as const);
  return sha256Of(JSON.stringify(named.sort(([left], [right]) => (left < right ? -1 : 1))));
}

const resolve: ResolveHookSync = (specifier, context, next) => {
  const mark = MARK.exec(context.parentURL ?? "")?.[0];
  if (mark === undefined || context.parentURL === undefined) return next(specifier, context);
  if (specifier === AUTHORING) return next(pathToFileURL(AUTHORING_FILE).href, context);
  try {
    const found = next(specifier, context);
    return isOfModule(found.url) ? { ...found, url: `${found.url}${mark}` } : found;
  } catch (error) {
    throw error instanceof Error ? new Placed(placeOfImport(specifier, context.parentURL), error) : error;
  }
};

/** Packages belong to whoever installs them, and Turnwise's own files to its version. */
function isOfModule(url: string): boolean {
  return url.startsWith("file:") && !url.includes("/node_modules/") && !fileURLToPath(url).startsWith(OUR_SOURCES);
}

function placeOfImport(specifier: string, parentUrl: string): Place {
  const path = fileURLToPath(parentUrl.replace(MARK, ""));
  const line = readFileSync(path, "utf8")
    .split("\n")
    .findIndex((text) => text.includes(`"${specifier}"`) || text.includes(`'${specifier}'`));
  return { path, line: line === -1 ? null : line + 1, column: null };
}

const load: LoadHookSync = (url, context, next) => {
  const known = imports.get(MARK.exec(url)?.[1] ?? "");
  if (known === undefined) return next(url, context);
  const path = fileURLToPath(url.replace(MARK, ""));
  if (known.isDone) {
    throw new Error(`${path} is imported when the module runs already, and would not be in the campaign's record: import it at the top`);
  }
  const loaded = next(url, context);
  if (loaded.format?.startsWith("commonjs") === true) {
    throw new Placed(
      { path, line: null, column: null },
      new Error("it is CommonJS, and what it requires would not be in the campaign's record: use import and export"),
    );
  }
  known.files.set(path, sha256Of(loaded.source ?? readFileSync(path)));
  return loaded;
};

function sha256Of(content: string | ArrayBuffer | NodeJS.ArrayBufferView): string {
  const bytes = content instanceof ArrayBuffer ? new Uint8Array(content) : content;
  return createHash("sha256").update(bytes).digest("hex");
}
