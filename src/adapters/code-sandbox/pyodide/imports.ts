// The filter of imports. A WebAssembly module reaches nothing but its memory and the functions that it imports; Pyodide imports the whole of
// JavaScript (and under Node a shell: `os.system` is spawnSync there). Once the interpreter has started, only what is named here is let
// through. What is refused is either answered with an error number, as a system without it would, or ends the interpreter.

/** Functions that reach nothing outside: control flow of the compiled code, and files, which are in memory. */
const ALLOWED = new Set(
  `emscripten_runtime_keepalive_push emscripten_runtime_keepalive_pop _PyEM_TrampolineCall_JS _Py_CheckEmscriptenSignals_Helper
  _Py_emscripten_runtime emscripten_resize_heap emscripten_get_heap_max _emscripten_get_progname _tzset_js _gmtime_js _timegm_js
  __syscall_getuid32_js __syscall_umask_js __syscall_ioctl __syscall_fcntl64 __syscall_openat __syscall_faccessat __syscall_chdir
  __syscall_dup __syscall_dup3 __syscall_fchdir __syscall_fdatasync __syscall_fstat64 __syscall_stat64 __syscall_newfstatat __syscall_lstat64
  __syscall_ftruncate64 __syscall_truncate64 __syscall_getcwd __syscall_getdents64 __syscall_mkdirat __syscall_pipe __syscall_poll
  __syscall_fadvise64 __syscall_readlinkat __syscall_unlinkat __syscall_rmdir __syscall_renameat __syscall_statfs64 __syscall_fstatfs64
  environ_sizes_get environ_get fd_close fd_read fd_sync fd_fdstat_get fd_seek fd_pread fd_pwrite clock_res_get _munmap_js
  _maybe_connect_async _maybe_recvfrom_async _maybe_sendto_async _maybe_poll_async _try_fcntl64 _try_shutdown`.split(/\s+/),
);

/** Error numbers of this C library. */
const EPERM = 63;
const EAI_FAIL = -4;

// biome-ignore lint/suspicious/noExplicitAny: numbers and bigints, as each function's C signature says
type Imported = (...args: any[]) => unknown;
export type ImportTable = Record<string, unknown>;
/** Imports that we answer ourselves, from the start on; made from the whole table and the function that stood there. */
export type Replacements = Readonly<Record<string, (table: ImportTable, original: Imported) => Imported>>;

/** Thrown through the interpreter, which is of no use afterwards. */
class SandboxViolation extends Error {}

export interface ImportFilter {
  /** From now on only what is allowed goes through. Not taken back. */
  close(): void;
}

/**
 * Puts the filter into a table of imports, in place: what C code finds in it later (`dlsym`, addresses of functions) is filtered too.
 * invoke_* are the compiler's own calls of functions that may throw.
 */
export function filterImports(table: ImportTable, replacements: Replacements): ImportFilter {
  let isClosed = false;
  for (const [name, original] of Object.entries(table)) {
    if (typeof original !== "function" || name.startsWith("invoke_")) continue;
    const replacement = replacements[name]?.(table, original as Imported);
    if (replacement === undefined && ALLOWED.has(name)) continue;
    const refused = refusal(name);
    const checked: Imported = (...args) => (isClosed ? refused(...args) : Reflect.apply(original, undefined, args));
    table[name] = Object.assign(replacement ?? checked, original);
  }
  return {
    close: () => {
      isClosed = true;
    },
  };
}

function refusal(name: string): Imported {
  if (name.startsWith("__syscall_") || name === "_mmap_js") return () => -EPERM;
  if (name === "_emscripten_system") return () => -1;
  if (name === "getaddrinfo" || name === "getnameinfo") return () => EAI_FAIL;
  return () => {
    throw new SandboxViolation(`the code reached for ${name}, which this sandbox does not have`);
  };
}
