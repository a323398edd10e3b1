// The Python environment of one benchmark's peer: .turnwise/bench/<name>, made by uv from peers/<name>.requirements.txt, apart from the product's.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { TOOLS } from "../infra/setup/places.mjs";
import { findPython } from "../infra/setup/python/interpreter.mjs";
import { findUv, uvEnvironment } from "../infra/setup/python/uv.mjs";

/** The environment's Python. Made when it is not there, or when the requirements have changed. */
export async function peerPython(name: string): Promise<string> {
  const requirements = fileURLToPath(new URL(`peers/${name}.requirements.txt`, import.meta.url));
  const wanted = await readFile(requirements, "utf8");
  const folder = join(TOOLS, "bench", name);
  const stamp = join(folder, "requirements.txt");
  const python = join(folder, "bin", "python");
  if ((await readFile(stamp, "utf8").catch(() => null)) === wanted) return python;
  console.error(`making ${folder}`);
  await rm(folder, { recursive: true, force: true });
  const uv = await findUv(() => {});
  const options = { env: uvEnvironment(), stdout: "ignore", stderr: "inherit" } as const;
  await execa(uv, ["venv", "--quiet", "--python", (await findPython()).path, folder], options);
  await execa(uv, ["pip", "install", "--quiet", "--python", python, "-r", requirements], options);
  await writeFile(stamp, wanted);
  return python;
}
