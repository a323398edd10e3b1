// Rollouts from a text in any of the formats, as its bytes come: JSONL line by line, the lists of tau-bench and tau2 entry by entry. The
// format is found out from the content.
import type { z } from "zod";
import { sha256Hex } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";
import { describeProblems } from "#core/problems.ts";
import { addCounts } from "#core/reading/counts.ts";
import type { ToolCatalog } from "#core/reward/label-trajectory.ts";
import { plainText, startOf } from "#core/text.ts";
import { parseJson } from "#environments/tau/python/parse-json.ts";
import { PyDict, PyError, type PyValue } from "#environments/tau/python/values.ts";
import { canonicalText } from "./canonical-text.ts";
import type { Check } from "./entry-context.ts";
import { toPlain } from "./exact-json.ts";
import { importRolloutLine } from "./import-jsonl.ts";
import { importTauBenchEntry } from "./import-tau-bench.ts";
import { importSimulation, readTau2Run, type Tau2Run } from "./import-tau2.ts";
import type { ImportedRollout } from "./imported-rollouts.ts";
import { isRecord } from "./is-record.ts";
import { JsonSlicer, JsonSyntaxError, MAX_TEXT_LENGTH, type Slice } from "./json-slices.ts";
import { LineSlicer } from "./line-slices.ts";

export const FORMATS =
  "a JSON list of tau-bench results, a tau2-bench results object or its folder, JSONL with task_id, messages and outcome, or a Parquet file of trajectories";
/** So much of a file tells its format. */
const HEAD_LENGTH = 2 ** 20;

export interface TextContext {
  readonly path: string;
  /** What names the policy where the file does not. */
  readonly source: string;
  readonly catalog: ToolCatalog;
  /** For one simulation of a tau2 run: what its results.json says. */
  readonly run?: Tau2Run | null;
  /** Bytes of one entry or line. */
  readonly maxPiece?: number;
}

export interface TextContents {
  readonly rollouts: ImportedRollout[];
  readonly leftOut: LeftOut[];
  readonly notes: Record<string, number>;
  /** What the text says of a tau2 run, whose simulations may be in files of their own; null for other formats. */
  readonly run: Tau2Run | null;
}

/** An entry that is no rollout with an outcome. */
export interface LeftOut {
  readonly why: string;
  readonly place: string;
  /** Hash of what it holds: the same failed entry in a run and its copy counts once. */
  readonly content: string;
}

interface Value {
  readonly exact: PyValue;
  readonly plain: unknown;
  readonly place: string;
  readonly slice: Slice;
}

/** Feed it with `push`, then `finish`. Both throw contract.invalid with the place of the first thing that is wrong. */
export class RolloutText {
  readonly #context: TextContext;
  readonly #maxPiece: number;
  #head: Uint8Array | null = new Uint8Array();
  #lines: LineSlicer | null = null;
  #document: JsonSlicer | null = null;
  readonly #members: [string, PyValue][] = [];
  readonly #simulations: Value[] = [];
  readonly #rollouts: ImportedRollout[] = [];
  readonly #leftOut: LeftOut[] = [];
  readonly #numSeen = new Map<string, number>();
  #numValues = 0;
  #numNotUtf8 = 0;

  constructor(context: TextContext) {
    this.#context = context;
    this.#maxPiece = context.maxPiece ?? MAX_TEXT_LENGTH;
  }

  push(bytes: Uint8Array): void {
    if (this.#head === null) this.#feed(bytes);
    else {
      this.#head = Buffer.concat([this.#head, bytes]);
      if (this.#head.length >= HEAD_LENGTH) this.#begin(this.#head);
    }
  }

  finish(): TextContents {
    if (this.#head !== null) this.#begin(this.#head);
    this.#naming(() => this.#lines?.end());
    const isCut = this.#document !== null && !this.#document.isWhole;
    const run = this.#finishObject(isCut);
    if (isCut) {
      const place = `${this.#context.path}, line ${this.#document?.line}`;
      this.#leaveOut(CUT_OFF, place, place);
    }
    return {
      rollouts: this.#rollouts,
      leftOut: this.#leftOut,
      notes: addCounts({ "texts with bytes that are no UTF-8: replaced": this.#numNotUtf8 }),
      run,
    };
  }

  #begin(head: Uint8Array): void {
    this.#head = null;
    const { path } = this.#context;
    const bytes = withoutMark(head);
    const other = otherKind(head);
    if (other !== null) throw unknownFormat(path, other);
    if (isInLines(bytes)) this.#lines = new LineSlicer((line) => this.#takeLine(line), this.#maxPiece);
    else {
      const sink = { member: (key: string, slice: Slice) => this.#takeMember(key, slice), entry: (slice: Slice) => this.#takeEntry(slice) };
      this.#document = new JsonSlicer(sink, { opened: SIMULATIONS, maxPiece: this.#maxPiece });
    }
    this.#feed(bytes);
  }

  #feed(bytes: Uint8Array): void {
    this.#naming(() => (this.#lines ?? this.#document)?.push(bytes));
  }

  #naming(work: () => void): void {
    try {
      work();
    } catch (cause) {
      if (!(cause instanceof JsonSyntaxError)) throw cause;
      throw invalid(`${this.#context.path}, line ${cause.line}: ${cause.message}`, cause);
    }
  }

  #takeLine(slice: Slice): void {
    const place = `${this.#context.path}, line ${slice.line}`;
    let value: Value;
    try {
      value = this.#parse(slice, place);
    } catch (error) {
      if (!isCutOff(slice.text)) throw error;
      this.#leaveOut(CUT_OFF, place, place);
      return;
    }
    this.#take(value);
  }

  #takeEntry(slice: Slice): void {
    const isSimulation = this.#members.length > 0;
    const index = isSimulation ? this.#simulations.length : this.#numValues;
    const value = this.#parse(slice, `${this.#context.path}, ${isSimulation ? "simulation" : "entry"} ${index} (line ${slice.line})`);
    if (isSimulation) this.#simulations.push(value);
    else this.#take(value);
  }

  #takeMember(key: string, slice: Slice): void {
    const { exact } = this.#parse(slice, `${this.#context.path}, line ${slice.line}, ${key}`);
    this.#members.push([key, exact]);
  }

  #parse(slice: Slice, place: string): Value {
    if (!slice.isUtf8) this.#numNotUtf8 += 1;
    const exact = parseSlice(slice, place);
    return { exact, plain: toPlain(exact), place, slice };
  }

  /** One entry of a list, one line, or the one object of a file. */
  #take(value: Value): void {
    this.#numValues += 1;
    this.#keep(this.#read(value), value);
  }

  #keep(found: ImportedRollout | string, { place, exact }: Value): void {
    if (typeof found === "string") this.#leaveOut(found, place, canonicalText(exact));
    else this.#rollouts.push(found);
  }

  #leaveOut(why: string, place: string, content: string): void {
    this.#leftOut.push({ why, place, content: sha256Hex(content) });
  }

  #read(value: Value): ImportedRollout | string {
    const { plain, exact, place, slice } = value;
    const { path, source, catalog, run } = this.#context;
    const check: Check = (schema, part) => checked(schema, part, place, slice);
    if (!isRecord(plain)) throw this.#numValues === 1 ? unknownFormat(path) : invalid(`${place}: wanted an object`);
    const position = (taskId: string) => this.#position(taskId);
    if ("traj" in plain || ("info" in plain && "reward" in plain))
      return importTauBenchEntry(plain, { exact, source, catalog, check, position });
    if ("termination_reason" in plain) {
      if (run === null || run === undefined)
        throw invalid(`${place}: one simulation of a tau2 run, without the run's tasks`, undefined, SIMULATION_NEXT);
      return importSimulation(plain, { exact, source, catalog, check, position, run });
    }
    if (this.#numValues === 1 && !("messages" in plain) && !("outcome" in plain && "task_id" in plain))
      throw unknownFormat(path, describeKeys(plain));
    return importRolloutLine(plain, { exact, source, catalog, check, position });
  }

  #position(taskId: string): number {
    const position = this.#numSeen.get(taskId) ?? 0;
    this.#numSeen.set(taskId, position + 1);
    return position;
  }

  /** The one object of a file: a tau2 run, one of its simulations, or a rollout. */
  #finishObject(isCut: boolean): Tau2Run | null {
    if (this.#members.length === 0) return null;
    const { path, source, catalog } = this.#context;
    const place = path;
    const slice: Slice = { text: "", line: 1, isUtf8: true };
    const exact = PyDict.from(
      this.#members.map(
        ([key, item]) => [key, key === "simulations" && Array.isArray(item) ? this.#simulations.map((one) => one.exact) : item] as const,
      ),
    );
    const plain = toPlain(exact.without("simulations")) as Record<string, unknown>;
    if (!exact.has("simulations") && !exact.has("tasks")) {
      if (!isCut) this.#take({ exact, plain, place, slice });
      return null;
    }
    const run = readTau2Run(exact, plain, (schema, part) => checked(schema, part, place, slice));
    for (const one of this.#simulations) {
      const check: Check = (schema, part) => checked(schema, part, one.place, one.slice);
      const position = (taskId: string) => this.#position(taskId);
      const found = importSimulation(one.plain, { exact: one.exact, source, catalog, check, position, run });
      this.#keep(found, one);
    }
    return run;
  }
}

const CUT_OFF = "cut off where the writer stopped";
const SIMULATIONS = new Set(["simulations"]);
const SIMULATION_NEXT = "give the run's folder or its results.json";

function checked<Output>(schema: z.ZodType<Output>, value: unknown, place: string, slice: Slice): Output {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const line = nonFiniteLine(result.error, slice);
  throw invalid(`${place}: ${line}${describeProblems(result.error, value, schema)}`, result.error);
}

/** Where NaN or Infinity stands that a field must not be, since only the file's line helps to find it. */
function nonFiniteLine({ issues }: z.ZodError, { text, line }: Slice): string {
  for (const { path } of issues) {
    const parts = text.split(JSON.stringify(path.findLast((part) => typeof part === "string") ?? ""));
    const after = parts.findIndex((part, position) => position > 0 && NON_FINITE_MEMBER.test(part));
    if (after < 0) continue;
    const word = NON_FINITE_MEMBER.exec(parts[after] as string)?.[1];
    return `${word} on line ${line + parts.slice(0, after).join("").split("\n").length - 1}: `;
  }
  return "";
}

const NON_FINITE_MEMBER = /^\s*:\s*-?(NaN|Infinity)/;

function parseSlice(slice: Slice, place: string): PyValue {
  try {
    return parseJson(slice.text, { hasNonFinite: true });
  } catch (cause) {
    if (!(cause instanceof PyError)) throw cause;
    const [, message = cause.message, line = "1", column = "1"] = /^(.*): line (\d+) column (\d+) \(char \d+\)$/s.exec(cause.message) ?? [];
    throw invalid(`${place}: not valid JSON: ${message}: line ${slice.line + Number(line) - 1} column ${column}`, cause);
  }
}

/** True for a JSON text that ends too early and is well so far. */
function isCutOff(text: string): boolean {
  if (!text.startsWith("{")) return false;
  const slicer = new JsonSlicer({ member: () => undefined, entry: () => undefined }, WHOLE);
  try {
    slicer.push(new TextEncoder().encode(text));
    return !slicer.isWhole;
  } catch {
    return false;
  }
}

const WHOLE = { opened: new Set<string>(), maxPiece: Number.POSITIVE_INFINITY };
const LINE_END = /[\n\r]/;

/** Whether a file is one object a line, from its beginning: the first line is a whole object, and no tau2 run. */
function isInLines(head: Uint8Array): boolean {
  const text = new TextDecoder().decode(head).trimStart();
  if (!text.startsWith("{")) return false;
  const [first = ""] = text.split(LINE_END, 1);
  const keys = new Set<string>();
  const slicer = new JsonSlicer({ member: (key) => keys.add(key), entry: () => undefined }, WHOLE);
  try {
    slicer.push(new TextEncoder().encode(first));
  } catch (error) {
    if (error instanceof JsonSyntaxError) return first.trimEnd().endsWith("}");
    throw error;
  }
  if (keys.has("simulations") || keys.has("tasks")) return false;
  return slicer.isWhole || (first.length === text.length && head.length >= HEAD_LENGTH && keys.has("task_id"));
}

function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** How Git Large File Storage begins what stands for a file that was not fetched. */
const LFS_POINTER = "version https://git-lfs";

/** What a file is that is no JSON; null when it may be. */
function otherKind(bytes: Uint8Array): string | null {
  const [a = 0, b = 0] = bytes;
  if (bytes.length === 0) return "it is empty";
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || (bytes.length > 1 && (a === 0 || b === 0)))
    return "it is UTF-16: save it as UTF-8";
  if ((a === 0x1f && b === 0x8b) || (a === 0x50 && b === 0x4b) || (a === 0x28 && b === 0xb5)) return "it is compressed: unpack it first";
  const first = new TextDecoder().decode(withoutMark(bytes).subarray(0, 64)).trimStart();
  if (first.startsWith(LFS_POINTER)) return "it is a Git LFS pointer, not the file: run `git lfs pull` where it comes from";
  return first.startsWith("{") || first.startsWith("[") || first === "" ? null : `it begins with ${JSON.stringify(first.slice(0, 20))}`;
}

const MOST_KEYS = 8;

/** What an object that is no rollout has, and whether the rollouts may stand inside. */
function describeKeys(value: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(value).map((key) => plainText(startOf(key, 40)));
  const [list] = Object.entries(value).flatMap(([key, item]) => (isListOfRollouts(item) ? [plainText(startOf(key, 40))] : []));
  const keys = `it is an object of ${names.slice(0, MOST_KEYS).join(", ") || "nothing"}${names.length > MOST_KEYS ? ", …" : ""}`;
  return list === undefined ? keys : `${keys}; if ${list} is the list of rollouts, save it alone`;
}

/** Where the rollouts of the known formats have their conversation. */
const CONVERSATION_KEYS = ["traj", "messages", "simulations"];
const isListOfRollouts = (item: unknown): boolean =>
  Array.isArray(item) && isRecord(item[0]) && CONVERSATION_KEYS.some((key) => Array.isArray((item[0] as Record<string, unknown>)[key]));

function unknownFormat(path: string, why = ""): CampaignError {
  return invalid(`${path} is none of the formats that are known${why === "" ? "" : `: ${why}`}`);
}

function invalid(message: string, cause?: unknown, next = `give ${FORMATS}`): CampaignError {
  return new CampaignError("contract.invalid", message, { next, ...(cause === undefined ? {} : { cause }) });
}
