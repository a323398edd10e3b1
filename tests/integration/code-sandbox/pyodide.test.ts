// The sandbox: the laws of every runtime, and what only a sandbox contains.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { pyodideRuntime } from "#adapters/code-sandbox/pyodide/pyodide-runtime.ts";
import { episode, never, runIn } from "../../support/code-cells.ts";
import { codeRuntimeLaws } from "../../support/code-runtime-laws.ts";

codeRuntimeLaws("pyodide", () => pyodideRuntime({ threads: 1, memoryMib: 128 }));

describe("what the sandbox contains", () => {
  const runtime = pyodideRuntime({ threads: 1, memoryMib: 128 });
  const folder = mkdtempSync(join(tmpdir(), "turnwise-sandbox-"));
  const secret = join(folder, "secret.txt");
  const touched = join(folder, "touched");
  writeFileSync(secret, "the host's");
  afterAll(async () => {
    await runtime.close();
    rmSync(folder, { recursive: true });
  });

  /** The outcome of an attack. The episode after it is whole, and the host untouched. */
  async function attack(code: string) {
    const [outcome] = await episode(runtime, [code]);
    const [after] = await episode(runtime, ["import sys, os\nprint(len([1, 2]))\nsorted(os.listdir('/tmp')), 'js' in sys.modules, 6 * 7"]);
    expect(after).toEqual({ stdout: "2\n", result: "([], True, 42)", error: null });
    expect(existsSync(touched)).toBe(false);
    return outcome;
  }

  const NAMED: [string, string, RegExp][] = [
    ["the host's JavaScript", "import js", /ModuleNotFoundError: import of js halted/],
    ["the host's JavaScript by another way of importing", "__import__('js').process", /ModuleNotFoundError: import of js halted/],
    ["Pyodide's JavaScript", "import pyodide_js\npyodide_js.FS", /ModuleNotFoundError/],
    ["running JavaScript", "from pyodide.code import run_js\nrun_js('process.exit()')", /ModuleNotFoundError/],
    ["C functions", "import ctypes\nctypes.CDLL(None).system(b'x')", /ModuleNotFoundError/],
    ["a shell", `import os\nos.system('touch ${touched}')`, /PermissionError: os\.system: this Python is a sandbox/],
    ["a process", `import subprocess\nsubprocess.run(['touch', '${touched}'])`, /OSError.* does not support processes/],
    ["a pipe to a process", `import os\nos.popen('touch ${touched}').read()`, /PermissionError: os\.popen|does not support processes/],
    ["a fork bomb", "import os\nwhile True: os.fork()", /PermissionError: os\.fork/],
    ["a bomb of threads", "import threading\nwhile True: threading.Thread(target=print).start()", /RuntimeError: can't start new thread/],
    ["a file of the host", `open('${secret}').read()`, /FileNotFoundError/],
    ["a file of every host", "open('/etc/passwd').read()", /FileNotFoundError/],
    ["mounting a folder", "import os\nos.listdir('/proc/1')", /FileNotFoundError/],
    ["changing the library", "open('/lib/python314.zip', 'r+b')", /PermissionError/],
    ["making the library writable", "import os\nos.chmod('/lib/python314.zip', 0o777)", /PermissionError/],
    ["a link", "import os\nos.symlink('/lib', '/tmp/lib')", /PermissionError/],
    ["a file bomb", "f = open('/tmp/big', 'wb')\nwhile True:\n    f.write(bytes(1_000_000))", /OSError: .*No space left/],
    ["a file with a hole", "f = open('/tmp/big', 'wb')\nf.seek(10 ** 11)\nf.write(b'x')\nf.flush()", /OSError: .*No space left/],
    ["a bomb of files", "for n in range(10 ** 6): open(f'/tmp/{n}', 'w').close()", /OSError: .*No space left/],
  ];
  test.each(NAMED)("%s: refused by its name", async (_, code, text) => {
    expect((await attack(code))?.error).toEqual({ kind: "exception", text: expect.stringMatching(text) });
  });

  test("the network: no socket, no name, not even of this machine", async () => {
    let numConnections = 0;
    const server = createServer(() => {
      numConnections += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const outcome = await attack(`import socket\nsocket.create_connection(('127.0.0.1', ${port}))`);
    const byUrl = await attack(`import urllib.request\nurllib.request.urlopen('http://127.0.0.1:${port}/')`);
    await new Promise((resolve) => server.close(resolve));
    expect(outcome?.error).toEqual({ kind: "exception", text: expect.stringMatching(/PermissionError|gaierror/) });
    expect(byUrl?.error).toEqual({ kind: "exception", text: expect.stringMatching(/URLError|PermissionError/) });
    expect(numConnections).toBe(0);
  });

  // Past the names: what the filter of imports holds alone. Each finds its way back to what confine.py has taken away.
  const PAST_THE_NAMES: [string, string][] = [
    [
      "the bridge to JavaScript",
      "import sys, importlib.machinery as m\nsys.modules.pop('_pyodide_core')\nimport _pyodide_core\n_pyodide_core.run_js",
    ],
    ["proxies left in memory", "import gc\n[getattr(o, 'constructor') for o in gc.get_objects() if 'JsProxy' in type(o).__name__][0]"],
    [
      "C's system()",
      `import sys\nfor n in ('_ctypes', 'ctypes'): sys.modules.pop(n)\nimport ctypes\nctypes.CDLL(None).system(b'touch ${touched}')`,
    ],
    [
      "JavaScript from C",
      `import sys\nfor n in ('_ctypes', 'ctypes'): sys.modules.pop(n)\nimport ctypes
ctypes.CDLL(None).emscripten_run_script(b"require('fs').writeFileSync('${touched}', '')")`,
    ],
    [
      "the system call of the library",
      `import sys, importlib\nsys.modules.pop('posix')\nimport posix\nassert posix.system('touch ${touched}') != 0\nraise OSError('refused')`,
    ],
    ["C's abort", "import sys, faulthandler\nfaulthandler._sigabrt()"],
    ["memory that is not its own", "import faulthandler\nfaulthandler._fatal_error_c_thread()"],
  ];
  test.each(PAST_THE_NAMES)("%s, reached past its name, is contained", async (_, code) => {
    const outcome = await attack(code);
    expect(outcome?.error?.kind).toMatch(/^(exception|crashed)$/);
    expect(outcome?.error?.text).toMatch(/\S/);
  });

  test("the C stack is full: error kind crashed or exception, and the next episode is whole", async () => {
    const outcome = await attack(`import sys
sys.setrecursionlimit(10 ** 9)
class Deep:
    def __getattr__(self, name): return getattr(self, name + 'x')
Deep().a`);
    expect(outcome?.error?.kind).toMatch(/^(exception|crashed|memory)$/);
  });

  test("addresses of objects are those of every other thread: what depends on them is the same too", async () => {
    const other = pyodideRuntime({ threads: 1, memoryMib: 128 });
    const cells = [
      "[id(object()), list({object() for _ in range(20)})]",
      "import os, uuid\n[os.urandom(8), uuid.uuid4(), os.stat('/tmp').st_mtime]",
    ];
    const here = await episode(runtime, cells);
    expect(here.map(({ error }) => error)).toEqual([null, null]);
    expect(await episode(other, cells)).toEqual(here);
    await other.close();
  });

  test("a session whose cells rest gives its thread to whoever needs one, and has its names again afterwards", async () => {
    const sessions = await Promise.all(Array.from({ length: 5 }, () => runtime.open(never())));
    for (const round of [0, 1, 2]) {
      const outcomes = await Promise.all(
        sessions.map((session, i) =>
          runIn(session, round === 0 ? `import random\nseen = [${i}, random.random()]\nseen` : "seen.append(random.random()); seen"),
        ),
      );
      const alone = outcomes.map(({ result }) => JSON.parse(result ?? "null") as number[]);
      expect(alone.map(([first]) => first)).toEqual([0, 1, 2, 3, 4]);
      expect(new Set(alone.map(([, ...drawn]) => JSON.stringify(drawn))).size).toBe(1);
      expect(new Set(alone[0]).size).toBe(round + 2);
    }
    const error = await runIn(sessions[0] as (typeof sessions)[0], "1 / 0");
    expect(error.error?.text).toContain("<cell 4>");
    await Promise.all(sessions.map((session) => session.close()));
  });

  test("what a cell that was killed left behind is not run again", async () => {
    const [one, two] = [await runtime.open(never()), await runtime.open(never())];
    await runIn(one, "a = 1");
    expect((await runIn(one, "while True: pass", { seconds: 0.5 })).error?.kind).toBe("timeout");
    await runIn(one, "b = 2");
    await runIn(two, "c = 3");
    expect((await runIn(one, "sorted(n for n in globals() if len(n) == 1)")).result).toBe("['b']");
    expect((await runIn(two, "sorted(n for n in globals() if len(n) == 1)")).result).toBe("['c']");
    await Promise.all([one.close(), two.close()]);
  });

  test("a session waits for a thread that is at work, and its signal ends the waiting", async () => {
    const [one, two] = [await runtime.open(never()), await runtime.open(never())];
    const busy = runIn(one, "while True: pass", { seconds: 2 });
    const stop = new AbortController();
    const refused = two.run({ code: "1", limits: { seconds: 5, outputBytes: 100 }, signal: stop.signal });
    stop.abort(new Error("too long"));
    await expect(refused).rejects.toThrow("too long");
    expect((await runIn(two, "6 * 7")).result).toBe("42");
    expect((await busy).error?.kind).toBe("timeout");
    await Promise.all([one.close(), two.close()]);
  });
});
