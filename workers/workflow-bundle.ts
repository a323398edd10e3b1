// The workflows as the one file that their sandbox loads. Bundling takes seconds of CPU, so the file is kept until one of its sources changes.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleWorkflowCode } from "@temporalio/worker";
import type { Logger } from "pino";
import { REPOSITORY } from "#adapters/settings.ts";
import { CACHE } from "../infra/setup/places.mjs";

/** What workflows may import (the import table), and what fixes the versions of packages and of how they are bundled. */
const SOURCES = ["workflows", "src/core", "src/contracts", "package.json", "package-lock.json"];

/**
 * Path of the bundle. Kept in `folder` under the hash of its sources; others there are removed. Where it cannot be written the bundle is
 * made all the same, for this process.
 */
export async function workflowBundle(log: Pick<Logger, "warn">, folder: string = join(CACHE, "workflows")) {
  const name = `${await sourcesSha256()}.js`;
  const codePath = join(folder, name);
  if (await exists(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({ workflowsPath: join(REPOSITORY, "workflows", "index.ts") });
  try {
    await mkdir(folder, { recursive: true });
    const temporary = `${codePath}.${process.pid}`;
    await writeFile(temporary, code);
    await rename(temporary, codePath);
    const others = (await readdir(folder)).filter((other) => other !== name);
    await Promise.all(others.map((other) => rm(join(folder, other), { force: true })));
    return { codePath };
  } catch (error) {
    log.warn({ error }, "the bundle of the workflows cannot be kept: every start makes it anew");
    return { code };
  }
}

async function sourcesSha256(): Promise<string> {
  const hash = createHash("sha256").update(process.version);
  for (const source of SOURCES) {
    const path = join(REPOSITORY, source);
    const names = (await stat(path)).isDirectory() ? (await readdir(path, { recursive: true })).sort() : [""];
    for (const name of names.filter((file) => file === "" || file.endsWith(".ts")))
      hash.update(`${source}/${name}\0`).update(await readFile(join(path, name)));
  }
  return hash.digest("hex");
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
