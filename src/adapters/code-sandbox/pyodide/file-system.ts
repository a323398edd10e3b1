// The interpreter's files, which are all in memory: the library, read-only, and two folders that every episode finds empty.

/** What we use of Emscripten's file system. */
export interface EmscriptenFiles {
  readonly root: FileNode;
  readonly streams: readonly (object | null | undefined)[];
  readonly filesystems: { readonly MEMFS: MemoryFiles };
  ignorePermissions: boolean;
  isDir(mode: number): boolean;
  close(stream: object): void;
  chdir(path: string): void;
  mount(type: object, options: object, path: string): void;
  unmount(path: string): void;
  readonly ErrnoError: new (errno: number) => Error;
}

interface FileNode {
  mode: number;
  name: string;
  contents?: unknown;
}

interface FileData {
  contents: Uint8Array;
}
type Write = (stream: { node: FileData }, bytes: Uint8Array, offset: number, length: number, position: number, canOwn: boolean) => number;

interface MemoryFiles {
  /** The functions of every file that there is and will be. */
  readonly ops_table: { readonly file: { readonly stream: { write: Write } } };
  createNode(...args: unknown[]): unknown;
  resizeFileStorage(node: FileData, size: number): void;
}

const SCRATCH = ["/tmp", "/home/pyodide"];
/** Standard input, output and error. */
const OWN_STREAMS = 3;
const ALL_WRITE = 0o222;
const ENOSPC = 51;
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_NODES = 4096;

export interface EpisodeFiles {
  /** Closes what is open and empties the scratch folders. */
  reset(): void;
}

/** Makes the library read-only and limits what an episode writes: 64 MiB in 4,096 files. More has no space left. */
export function confineFiles(files: EmscriptenFiles): EpisodeFiles {
  const budget = limitWrites(files);
  for (const folder of SCRATCH) files.mount(files.filesystems.MEMFS, {}, folder);
  makeReadOnly(files, files.root, "");
  files.ignorePermissions = false;
  const reset = () => {
    budget.reset();
    for (const stream of files.streams.slice(OWN_STREAMS)) if (stream) files.close(stream);
    files.chdir("/");
    for (const folder of SCRATCH) {
      files.unmount(folder);
      files.mount(files.filesystems.MEMFS, {}, folder);
    }
    files.chdir("/home/pyodide");
    budget.reset();
  };
  return { reset };
}

function makeReadOnly(files: EmscriptenFiles, node: FileNode, path: string): void {
  if (path === "/dev" || path === "/proc" || SCRATCH.includes(path)) return;
  node.mode &= ~ALL_WRITE;
  if (!files.isDir(node.mode)) return;
  for (const child of Object.values((node.contents ?? {}) as Record<string, FileNode>)) makeReadOnly(files, child, `${path}/${child.name}`);
}

/** Counts what files come to take, whether they are removed again or not. */
function limitWrites({ filesystems: { MEMFS }, ErrnoError }: EmscriptenFiles): { reset(): void } {
  let [bytes, nodes] = [0, 0];
  const counted = <Result>(node: FileData, end: number, work: () => Result): Result => {
    const before = node.contents.length;
    if (bytes + Math.max(0, end - before) > MAX_BYTES) throw new ErrnoError(ENOSPC);
    const result = work();
    bytes += Math.max(0, node.contents.length - before);
    return result;
  };
  const { createNode, resizeFileStorage } = MEMFS;
  const stream = MEMFS.ops_table.file.stream;
  const { write } = stream;
  MEMFS.createNode = (...args) => {
    nodes += 1;
    if (nodes > MAX_NODES) throw new ErrnoError(ENOSPC);
    return createNode(...args);
  };
  MEMFS.resizeFileStorage = (node, size) => counted(node, size, () => resizeFileStorage(node, size));
  stream.write = (to, data, offset, length, position, canOwn) =>
    counted(to.node, position + length, () => write(to, data, offset, length, position, canOwn));
  return {
    reset: () => {
      [bytes, nodes] = [0, 0];
    },
  };
}
