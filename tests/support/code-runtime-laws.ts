// What every code runtime keeps to. Attacks that only a sandbox contains are in the sandbox's own tests.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CodeRuntime } from "#environments/code-reasoning/code-runtime.ts";
import { episode, LIMITS, never, runIn } from "./code-cells.ts";

/** Whatever an episode was, the next one finds what this says. */
const PRISTINE = `import builtins, json, math, os, random, sys, time
sorted(n for n in globals() if not n.startswith('__')), len is builtins.len, json.dumps([1]), math.pi, random.random(), time.time() < 1767225700, os.listdir('.')`;

const DETERMINISTIC = [
  "import random, time, datetime, os\n[random.random(), random.Random(3).random()]",
  "list({'pear', 'fig', 'plum', 'quince', 'medlar'})",
  "hash('turnwise')",
  "[str(datetime.datetime.now()), str(datetime.date.today()), time.time(), time.localtime().tm_hour, time.strftime('%Y')]",
  "before = time.monotonic(); time.sleep(1000); time.monotonic() - before >= 1000",
];

export function codeRuntimeLaws(name: string, openRuntime: () => CodeRuntime): void {
  describe(`laws of code runtimes: ${name}`, () => {
    let runtime: CodeRuntime;
    beforeAll(async () => {
      runtime = openRuntime();
      await episode(runtime, ["1"]);
    });
    afterAll(() => runtime.close());

    test("the cells of an episode share a namespace, and the last expression is the result", async () => {
      const outcomes = await episode(runtime, [
        "x = 20\nprint('set')",
        "def double(n):\n    return 2 * n",
        "double(x) + 2",
        "x = 'a\\u00e9'; x",
      ]);
      expect(outcomes).toEqual([
        { stdout: "set\n", result: null, error: null },
        { stdout: "", result: null, error: null },
        { stdout: "", result: "42", error: null },
        { stdout: "", result: "'aé'", error: null },
      ]);
    });

    test("an exception has its traceback, without our frames, and what was written before it; the names stay", async () => {
      const [, raised, after] = await episode(runtime, ["y = 7", "print('before')\n1 / 0", "y"]);
      expect(raised).toMatchObject({ stdout: "before\n", result: null, error: { kind: "exception" } });
      expect(raised?.error?.text).toMatch(
        /^Traceback \(most recent call last\):\n {2}File "<cell 2>", line 2, in <module>\n[\s\S]*ZeroDivisionError: division by zero$/,
      );
      expect(raised?.error?.text).not.toMatch(/turnwise_cell|cell\.py/);
      expect(after?.result).toBe("7");
    });

    test.each([
      ["def f(:", /SyntaxError/],
      ["def f():\n    return f()\nf()", /RecursionError/],
      ["exit(3)", /SystemExit: 3/],
      ["raise KeyboardInterrupt", /KeyboardInterrupt/],
      ["input()", /EOFError/],
      ["class A:\n    def __repr__(self):\n        raise ValueError('no')\nA()", /ValueError: no/],
      ["raise ValueError('long ' * 100_000)", /characters …/],
    ])("%j is an exception that says so, and the session goes on", async (code, text) => {
      const [raised, after] = await episode(runtime, [code, "1 + 1"]);
      expect(raised?.error).toMatchObject({ kind: "exception", text: expect.stringMatching(text) });
      expect(raised?.error?.text.length).toBeLessThan(5000);
      expect(after).toEqual({ stdout: "", result: "2", error: null });
    });

    test("every episode begins pristine, whatever the one before did to the interpreter", async () => {
      const [first] = await episode(runtime, [PRISTINE]);
      expect(first?.error).toBeNull();
      const hostile = `import builtins, json, math, os, random, sys, time
builtins.len = lambda _: 3
builtins.print = None
json.dumps = lambda _: 'bent'
math.pi = 3
random.seed(99)
time.time = lambda: 9e9
open('left.txt', 'w').write('behind')
sys.modules['re'] = None
sys.setrecursionlimit(100)
left = 1`;
      await episode(runtime, [hostile]);
      const [next] = await episode(runtime, [PRISTINE]);
      expect(next).toEqual(first);
    });

    test("two runs of the same cells give the same outcomes: hashes, sets, random, clock", async () => {
      const [one, two] = [await episode(runtime, DETERMINISTIC), await episode(runtime, DETERMINISTIC)];
      expect(one.map(({ error }) => error)).toEqual(DETERMINISTIC.map(() => null));
      expect(two).toEqual(one);
      expect(one[3]?.result).toContain("2026-01-01");
      expect(one[4]?.result).toBe("True");
    });

    test("output is kept up to its limit, and more is error kind output; the next episode is whole", async () => {
      const [exact] = await episode(runtime, ["print('x' * 99)"], { outputBytes: 100 });
      expect(exact).toEqual({ stdout: `${"x".repeat(99)}\n`, result: null, error: null });
      const [more] = await episode(runtime, ["print('y' * 100, flush=True)"], { outputBytes: 100 });
      expect(more).toEqual({
        stdout: "y".repeat(100),
        result: null,
        error: { kind: "output", text: expect.stringContaining("100 bytes") },
      });
      const [flood, after] = await episode(runtime, ["for _ in range(100):\n    print('z' * 1_000_000)", "1"]);
      expect(flood?.error?.kind).toBe("output");
      expect(flood?.stdout).toBe("z".repeat(LIMITS.outputBytes));
      expect(after?.error).toBeNull();
    });

    test.each(["print('a' * 150)", "print('a' * 9_000)", "print('a' * 90_000)", "import sys\nsys.stderr.write('a' * 9_000)"])(
      "what is not kept of %s is not in the next cell either",
      async (flood) => {
        const [flooded, ...after] = await episode(runtime, [flood, "print('b')", "1"], { outputBytes: 100 });
        expect(flooded).toMatchObject({ stdout: "a".repeat(100), error: { kind: "output" } });
        expect(after).toEqual([
          { stdout: "b\n", result: null, error: null },
          { stdout: "", result: "1", error: null },
        ]);
      },
    );

    test("standard error and bytes written past print are output too", async () => {
      const [outcome] = await episode(runtime, ["import os, sys\nos.write(1, b'raw ')\nprint('err', file=sys.stderr, flush=True)"]);
      expect(outcome?.stdout).toBe("raw err\n");
    });

    test("a cell that hangs is killed; what it wrote is kept, and the session goes on with an empty namespace", async () => {
      const hang = "z = 1\nprint('started', flush=True)\nwhile True:\n    try:\n        while True: pass\n    except BaseException: pass";
      const session = await runtime.open(never());
      expect(await runIn(session, hang, { seconds: 2 })).toEqual({
        stdout: "started\n",
        result: null,
        error: { kind: "timeout", text: expect.stringMatching(/^stopped after 2 s; names of earlier cells are gone/) },
      });
      expect((await runIn(session, "'z' in globals()")).result).toBe("False");
      await session.close();
    });

    test("a signal ends a running cell with its reason, and one that was given before ends it at once", async () => {
      const session = await runtime.open(never());
      await runIn(session, "1");
      const stop = new AbortController();
      const running = session.run({ code: "while True: pass", limits: LIMITS, signal: stop.signal });
      stop.abort(new Error("enough"));
      await expect(running).rejects.toThrow("enough");
      await expect(session.run({ code: "1", limits: LIMITS, signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
      expect((await runIn(session, "3")).result).toBe("3");
      await session.close();
      await expect(runtime.open(AbortSignal.abort(new Error("never")))).rejects.toThrow("never");
    });

    test.each([
      ["one piece", "b = bytearray(10 ** 9)"],
      ["many pieces", "a = []\nwhile True:\n    a.append(bytes(1_000_000))"],
    ])("a memory bomb of %s is error kind memory, and the next episode is whole", async (_, code) => {
      const [bomb] = await episode(runtime, [code]);
      expect(bomb?.error?.kind).toBe("memory");
      expect((await episode(runtime, ["sum(range(10))"]))[0]?.result).toBe("45");
    });

    test("an interpreter that the code ends is error kind crashed, and the session goes on", async () => {
      const [ended, after] = await episode(runtime, ["print('last words', flush=True)\nimport os\nos._exit(0)", "1 + 1"]);
      expect(ended).toMatchObject({ stdout: "last words\n", result: null, error: { kind: "crashed" } });
      expect(after?.result).toBe("2");
    });

    test("code that bends its own runner gets a crash, not a result of its choice", async () => {
      const [bent] = await episode(runtime, ["import json\njson.dumps = lambda *a, **k: 'not json'\n1"]);
      expect(bent?.error?.kind).toBe("crashed");
      expect((await episode(runtime, ["1"]))[0]?.result).toBe("1");
    });
  });
}
