// One Python in this thread: started once, confined, and put back to the same bytes before every episode.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { confineFiles, type EmscriptenFiles } from "./file-system.ts";
import { type FixedWorld, fixDate, fixedWorld } from "./fixed-world.ts";
import { filterImports, type ImportFilter, type ImportTable, type Replacements } from "./imports.ts";
import { appendOutput } from "./output-buffer.ts";

/** What we use of Pyodide. Its own types say nothing of the C functions by which we speak to it, past its bridge to JavaScript. */
interface Pyodide {
  makeMemorySnapshot(): Uint8Array;
  runPython(code: string): unknown;
  readonly FS: EmscriptenFiles;
}
/** What we use of WebAssembly, which TypeScript knows of browsers only. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
type Instantiate = (module: unknown, imports?: Record<string, ImportTable>) => Promise<unknown>;
const { WebAssembly: wasm } = globalThis as unknown as { WebAssembly: { instantiate: Instantiate } };

type LoadPyodide = (options: object) => Promise<Pyodide>;

/** C functions of the interpreter; a pointer is a number. */
interface Exports {
  readonly memory: WasmMemory;
  malloc(size: number): number;
  free(pointer: number): void;
  PyImport_AddModule(name: number): number;
  PyObject_GetAttrString(object: number, name: number): number;
  PyObject_CallOneArg(callable: number, argument: number): number;
  PyUnicode_FromStringAndSize(bytes: number, length: number): number;
  PyUnicode_AsUTF8AndSize(text: number, length: number): number;
  emscripten_stack_get_current(): number;
  _emscripten_stack_restore(pointer: number): void;
}

interface Started {
  readonly exports: Exports;
  readonly filter: ImportFilter;
}

export interface Interpreter {
  /** Memory, files, clock and randomness as they were after the start. */
  reset(): void;
  /** JSON of cell.py. Output goes to `output`. Throws when the interpreter is of no use any more. */
  run(code: string, output: SharedArrayBuffer): string;
  /** Whether it was refused memory since the last reset. */
  wasRefusedMemory(): boolean;
}

/** Modules of the library that cells ask for most: they are there already in the memory that an episode starts from. */
const WARM =
  `import array, bisect, collections, contextlib, copy, datetime, decimal, enum, fractions, functools, heapq, io, itertools, json, math,
  operator, os, random, re, statistics, string, sys, textwrap, time, types, typing`.replaceAll(/\s+/g, " ");
const MIB = 1024 * 1024;
const PAGE_BYTES = 65_536;
const ENOSPC = 51;

/** Starts a Python as slowly as it starts (2 s of CPU), and gives the memory from which others start in a tenth of that. */
export async function makeSnapshot(): Promise<Uint8Array> {
  const world = fixedWorld();
  fixDate(world.now);
  const [python] = await load(world, () => null, { _makeSnapshot: true });
  return python.makeMemorySnapshot();
}

export interface InterpreterOptions {
  /** What `makeSnapshot` gave. */
  readonly snapshot: Uint8Array;
  /** Memory that it may come to have in all. */
  readonly memoryMib: number;
}

export async function startInterpreter({ snapshot, memoryMib }: InterpreterOptions): Promise<Interpreter> {
  const world = fixedWorld();
  fixDate(world.now);
  let output: SharedArrayBuffer | null = null;
  const [python, { exports, filter }] = await load(world, () => output, { _loadSnapshot: snapshot });
  let isMemoryRefused = false;
  limitMemory(exports.memory, memoryMib * MIB, () => {
    isMemoryRefused = true;
  });
  python.runPython(WARM);
  python.runPython(source("confine.py"));
  const runCell = loadRunner(python, exports);
  const files = confineFiles(python.FS);
  filter.close();
  const stack = exports.emscripten_stack_get_current();
  const image = new Uint8Array(exports.memory.buffer).slice();
  return {
    reset: () => {
      exports._emscripten_stack_restore(stack);
      const memory = new Uint8Array(exports.memory.buffer);
      memory.set(image);
      memory.fill(0, image.length);
      world.reset(); // what the files are stamped with
      files.reset();
      world.reset();
      isMemoryRefused = false;
    },
    run: (code, buffer) => {
      output = buffer;
      return callWithText(exports, runCell, code);
    },
    wasRefusedMemory: () => isMemoryRefused,
  };
}

const source = (name: string): string => readFileSync(fileURLToPath(new URL(name, import.meta.url)), "utf8");

/** Loads Pyodide with our filter in the way of its imports: WebAssembly.instantiate is where they are handed over. */
async function load(world: FixedWorld, output: () => SharedArrayBuffer | null, how: object): Promise<[Pyodide, Started]> {
  const { loadPyodide } = (await import(import.meta.resolve("pyodide"))) as { loadPyodide: LoadPyodide };
  let started: Started | null = null;
  const { instantiate } = wasm;
  const filtered: Instantiate = async (module, imports) => {
    const table = imports?.["env"];
    if (started !== null || table === undefined || !("fd_write" in table)) return instantiate(module, imports);
    const memory = () => started?.exports.memory.buffer as ArrayBuffer;
    const filter = filterImports(table, ownImports(world, memory, output));
    const instance = await instantiate(module, imports);
    started = { exports: exportsOf(instance), filter };
    return instance;
  };
  wasm.instantiate = filtered;
  try {
    const silent = { stdin: () => null, stdout: () => {}, stderr: () => {} };
    const python = await loadPyodide({ ...how, ...silent, env: { PYTHONHASHSEED: "0", HOME: "/home/pyodide", TZ: "UTC" } });
    if (started === null) throw new Error("Pyodide has not asked for its imports as this version does");
    return [python, started];
  } finally {
    wasm.instantiate = instantiate;
  }
}

/** `instantiate` answers the instance alone, or with its module. */
function exportsOf(instantiated: unknown): Exports {
  const { instance, exports } = instantiated as { instance?: { exports: Exports }; exports?: Exports };
  return (instance?.exports ?? exports) as Exports;
}

type Memory = () => ArrayBuffer;

/** Clock, time zone, randomness and output: the imports that we answer ourselves. */
function ownImports(world: FixedWorld, memory: Memory, output: () => SharedArrayBuffer | null): Replacements {
  const write = (at: number, value: number) => new DataView(memory()).setUint32(at >>> 0, value, true);
  const writeName = (at: number) => new Uint8Array(memory(), at >>> 0, 4).set([0x55, 0x54, 0x43, 0]);
  return {
    emscripten_get_now: () => () => world.now(),
    emscripten_date_now: () => () => world.now(),
    clock_time_get: () => (_clock, _precision, at: number) => {
      new DataView(memory()).setBigUint64(at >>> 0, BigInt(world.now()) * 1_000_000n, true);
      return 0;
    },
    // No: sleeping then asks the clock until it is late enough, which is soon.
    can_run_sync_js: () => () => 0,
    _tzset_js: () => (timezone: number, daylight: number, name: number, summerName: number) => {
      write(timezone, 0);
      write(daylight, 0);
      writeName(name);
      writeName(summerName);
    },
    _localtime_js: (table) => (seconds: number, at: number) => {
      (table["_gmtime_js"] as (seconds: number, at: number) => void)(seconds, at);
      write(at + TM_IS_DST, 0);
      write(at + TM_GMT_OFFSET, 0);
    },
    _mktime_js: (table) => table["_timegm_js"] as (at: number) => unknown,
    random_get: () => (at: number, length: number) => {
      world.fill(new Uint8Array(memory(), at >>> 0, length));
      return 0;
    },
    fd_write: (_table, original) => (fd: number, vectors: number, count: number, written: number) => {
      const buffer = output();
      if (buffer === null || (fd !== 1 && fd !== 2)) return original(fd, vectors, count, written);
      const chunks = readVectors(memory(), vectors >>> 0, count);
      for (const chunk of chunks) if (!appendOutput(buffer, chunk)) return ENOSPC;
      write(
        written,
        chunks.reduce((total, { length }) => total + length, 0),
      );
      return 0;
    },
  };
}

/** Fields of C's `struct tm`, in bytes from its start. */
const [TM_IS_DST, TM_GMT_OFFSET] = [32, 36];

/** What an array of `struct iovec` names. */
function readVectors(memory: ArrayBuffer, at: number, count: number): Uint8Array[] {
  const view = new DataView(memory);
  return Array.from({ length: count }, (_, index) => {
    const vector = at + 8 * index;
    return new Uint8Array(memory, view.getUint32(vector, true), view.getUint32(vector + 4, true));
  });
}

/** More than `limit` bytes are never had: growing is the one way to them. */
function limitMemory(memory: WasmMemory, limit: number, onRefusal: () => void): void {
  const grow = memory.grow.bind(memory);
  memory.grow = (pages) => {
    if (memory.buffer.byteLength + pages * PAGE_BYTES <= limit) return grow(pages);
    onRefusal();
    throw new RangeError("no more memory for this interpreter");
  };
}

/** Loads cell.py as the module `turnwise_cell`; answers the pointer to its `run_cell`, held by that module. */
function loadRunner(python: Pyodide, exports: Exports): number {
  const code = JSON.stringify(source("../cell.py"));
  python.runPython(`import sys, types
_module = types.ModuleType("turnwise_cell")
_module.__file__ = "turnwise_cell"
sys.modules["turnwise_cell"] = _module
exec(compile(${code}, "turnwise_cell", "exec"), _module.__dict__)
import gc; gc.collect(); gc.freeze()
del _module, sys, types, gc`);
  const [module, name] = [writeText(exports, "turnwise_cell"), writeText(exports, "run_cell")];
  return exports.PyObject_GetAttrString(exports.PyImport_AddModule(module.at), name.at);
}

/** Calls a Python function of one text that answers a text, past the bridge to JavaScript. What it allocates goes with the next reset. */
function callWithText(exports: Exports, callable: number, text: string): string {
  const argument = writeText(exports, text);
  const answer = exports.PyObject_CallOneArg(callable, exports.PyUnicode_FromStringAndSize(argument.at, argument.length));
  exports.free(argument.at);
  if (answer === 0) throw new Error("the cell runner failed");
  const lengthAt = exports.malloc(4);
  const start = exports.PyUnicode_AsUTF8AndSize(answer, lengthAt);
  if (start === 0) throw new Error("the cell runner answered no text");
  const length = new DataView(exports.memory.buffer).getUint32(lengthAt, true);
  exports.free(lengthAt);
  return new TextDecoder().decode(new Uint8Array(exports.memory.buffer, start, length));
}

/** UTF-8 with a zero at its end. `length` is without it. Throws when there is no memory. */
function writeText(exports: Exports, text: string): { at: number; length: number } {
  const bytes = new TextEncoder().encode(text);
  const at = exports.malloc(bytes.length + 1) >>> 0;
  if (at === 0) throw new Error("no memory for the cell's code");
  const memory = new Uint8Array(exports.memory.buffer);
  memory.set(bytes, at);
  memory[at + bytes.length] = 0;
  return { at, length: bytes.length };
}
