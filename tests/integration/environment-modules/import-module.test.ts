// A file of somebody else's as Node runs it: what belongs to its hash, and where it goes wrong.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { loadModule } from "#adapters/environment-modules/load-module.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

/** Writes files, the first of which is loaded. */
function written(files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return join(folder, Object.keys(files)[0] as string);
}

const MODULE =
  'import { two } from "./lib/two.ts";\nimport data from "./data.json" with { type: "json" };\nexport default { three: two + data.one };\n';
const FILES = { "env.ts": MODULE, "lib/two.ts": "export const two: number = 2;\n", "data.json": '{ "one": 1 }' };

describe("the hash of a module", () => {
  test("is over the file and everything that it imports by a path, as they are now, wherever the folder lies", async () => {
    const path = written(FILES);
    const first = await loadModule(path);
    expect(first.exported["default"]).toEqual({ three: 3 });
    expect((await loadModule(path)).sha256).toBe(first.sha256);

    const before = folder;
    folder = temporaryFolder();
    expect((await loadModule(written(FILES))).sha256).toBe(first.sha256);
    folder = before;

    for (const [name, text] of [
      ["env.ts", `${MODULE}// more\n`],
      ["lib/two.ts", "export const two: number = 5;\n"],
      ["data.json", '{ "one": 4 }'],
    ] as const) {
      const changed = await loadModule(written({ ...FILES, [name]: text }));
      expect(changed.sha256, name).not.toBe(first.sha256);
    }
    expect((await loadModule(written({ ...FILES, "lib/two.ts": "export const two: number = 5;\n" }))).exported["default"]).toEqual({
      three: 6,
    });
    expect((await loadModule(written({ ...FILES, "unused.ts": "export {};\n" }))).sha256).toBe(first.sha256);
  });

  test("is that of the file behind a link", async () => {
    const path = written(FILES);
    symlinkSync(path, join(folder, "link.ts"));
    expect((await loadModule(join(folder, "link.ts"))).sha256).toBe((await loadModule(path)).sha256);
  });

  test("could not hold what is imported later, so that is refused by name", async () => {
    const path = written({ "env.ts": 'export const later = () => import("./late.ts");\n', "late.ts": "export {};\n" });
    const module = await loadModule(path);
    const late = module.call("later", () => (module.exported["later"] as () => Promise<unknown>)());
    await expect(late).rejects.toMatchObject({
      code: "environment.failed",
      message: expect.stringMatching(/late\.ts is imported when the module runs already/),
    });
  });
});

describe("a module that goes wrong is told by file and line", () => {
  test.each([
    [
      "a throw at load",
      { "env.ts": "export const a: number = 1;\n\nthrow new RangeError('no');\n" },
      "env.ts:3:7: loading throws RangeError: no",
    ],
    [
      "a throw in what it imports",
      { "env.ts": 'import "./lib/two.ts";\n', "lib/two.ts": "\nnull!.x;\nexport {};\n".replace("null!.x", "(null as any).x") },
      "lib/two.ts:2:15: loading throws TypeError",
    ],
    ["no TypeScript", { "env.ts": "export const a = 1;\nconst b = = 2;\n" }, "env.ts:2: loading throws SyntaxError"],
    [
      "no JavaScript, of which Node does not tell the line",
      { "env.ts": 'import "./two.mjs";\nimport "./three.mjs";\n', "two.mjs": "const b = = 2;\n", "three.mjs": "export {};\n" },
      "two.mjs: loading throws SyntaxError",
    ],
    ["CommonJS", { "env.ts": "module.exports = { id: 'mine' };\n" }, "env.ts: loading throws Error: it is CommonJS"],
    [
      "CommonJS that it imports",
      { "env.ts": 'import "./two.cjs";\n', "two.cjs": "require('./three.cjs');\n" },
      "two.cjs: loading throws Error: it is CommonJS",
    ],
    ["TypeScript that is more than types", { "env.ts": "\nexport enum Kind { A }\n" }, "env.ts:2: loading throws SyntaxError"],
    ["an import that leads nowhere", { "env.ts": '\nimport { a } from "./no.ts";\nexport default a;\n' }, "env.ts:2: loading throws"],
    ["a package that is not there", { "env.ts": '\n\nimport "no-such-package";\n' }, "env.ts:3: loading throws"],
    [
      "a name that is not exported",
      { "env.ts": '\nimport { three } from "./lib/two.ts";\nexport default three;\n', "lib/two.ts": "export const two = 2;\n" },
      "env.ts:2: loading throws SyntaxError",
    ],
    [
      "something that is no Error",
      { "env.ts": 'export {};\nthrow "words";\n' },
      'env.ts: loading throws "words", which is no Error and so has no line',
    ],
  ])("%s", async (_, files, message) => {
    const path = written(files);
    const failure = expect.objectContaining({ code: "environment.failed", message: expect.stringContaining(`${folder}/${message}`) });
    await expect(loadModule(path)).rejects.toEqual(failure);
  });

  test("a throw in a call, through a folder with spaces", async () => {
    const path = written({ "my envs/env.ts": "export default {\n  act(): never {\n    throw new Error('broken');\n  },\n};\n" });
    const module = await loadModule(path);
    const broken = module.call("act of t1", () => (module.exported["default"] as { act(): void }).act());
    await expect(broken).rejects.toMatchObject({
      message: `${folder}/my envs/env.ts:3:11: act of t1 throws Error: broken`,
      next: expect.stringContaining("turnwise env check"),
    });
  });

  test("a file that is not there, and a promise that nobody resolves", async () => {
    await expect(loadModule(join(folder, "no.ts"))).rejects.toMatchObject({ code: "config.file-missing" });
    const waiting = written({ "env.ts": "await new Promise(() => {});\nexport {};\n" });
    await expect(loadModule(waiting, 0.2)).rejects.toMatchObject({
      code: "environment.timeout",
      message: expect.stringContaining("gave no answer to loading within 0.2 s"),
    });
    const module = await loadModule(written({ "env.ts": "export const never = () => new Promise(() => {});\n" }));
    const call = module.call("never", module.exported["never"] as () => Promise<never>, 0.05);
    await expect(call).rejects.toMatchObject({
      code: "environment.timeout",
      message: expect.stringContaining("gave no answer to never within 0.05 s"),
    });
  });
});
