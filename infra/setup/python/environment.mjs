// What is inside a virtual environment, read from its files: which distributions, and whether each is whole.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sizeOf } from "../files.mjs";

const LARGE_BYTES = 1_000_000;

/** @param {string} environment @returns {string | null} */
export function sitePackages(environment) {
  try {
    const python = readdirSync(join(environment, "lib")).find((name) => name.startsWith("python3."));
    return python === undefined ? null : join(environment, "lib", python, "site-packages");
  } catch {
    return null;
  }
}

/** Names of the `.dist-info` folders, sorted. @param {string} folder @returns {string[]} */
export function installedDistributions(folder) {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".dist-info"))
      .sort();
  } catch {
    return [];
  }
}

/** Files of a distribution with the sizes that its RECORD promises. @param {string} folder @param {string} distribution @returns {[string, number][]} */
function recorded(folder, distribution) {
  const lines = readFileSync(join(folder, distribution, "RECORD"), "utf8").split("\n");
  return lines.flatMap((line) => {
    const match = /^("(?:[^"]|"")*"|[^,]*),[^,]+,(\d+)\s*$/.exec(line);
    if (match === null) return [];
    const path = /** @type {string} */ (match[1]).replace(/^"|"$/g, "").replace(/""/g, '"');
    return [/** @type {[string, number]} */ ([path, Number(match[2])])];
  });
}

/** The first distribution that misses a file, or holds one of another size, or null. Seconds: it looks at every file. @param {string} folder */
export function damagedDistribution(folder) {
  for (const distribution of installedDistributions(folder)) {
    let files;
    try {
      files = recorded(folder, distribution);
    } catch {
      return distribution;
    }
    if (files.length === 0 || files.some(([path, bytes]) => sizeOf(join(folder, path)) !== bytes)) return distribution;
  }
  return null;
}

/** Sizes of the large files, for the fast check. @param {string} folder @returns {Record<string, number>} */
export function stampedSizes(folder) {
  const large = installedDistributions(folder).flatMap((name) => recorded(folder, name).filter(([, bytes]) => bytes >= LARGE_BYTES));
  return Object.fromEntries(large);
}
