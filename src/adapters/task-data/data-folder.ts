// A folder of this machine as environments read it.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { DataFolder } from "#environments/data-folder.ts";

export function dataFolder(path: string): DataFolder {
  return {
    path,
    isThere: () =>
      stat(path).then(
        (entry) => entry.isDirectory(),
        () => false,
      ),
    folder: (name) => dataFolder(join(path, name)),
    readText: (name) => readFile(join(path, name), "utf8"),
  };
}
