// How many tests there were, from the reports that the test runners write for machines.
import { readFileSync } from "node:fs";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const NONE: Counts = { passed: 0, failed: 0, skipped: 0 };

export function add(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

interface VitestReport {
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly { readonly status: string }[] }[];
}

/** A file that fails without a failed test of its own (a broken import, a failed hook) counts as one failure. No report: no tests. */
export function readVitest(path: string): Counts {
  const text = read(path);
  if (text === null) return NONE;
  return (JSON.parse(text) as VitestReport).testResults.map(countFile).reduce(add, NONE);
}

function countFile(file: VitestReport["testResults"][number]): Counts {
  const count = (...statuses: string[]) => file.assertionResults.filter(({ status }) => statuses.includes(status)).length;
  const failed = count("failed");
  return {
    passed: count("passed"),
    failed: file.status === "failed" ? Math.max(failed, 1) : failed,
    skipped: count("skipped", "pending", "todo", "disabled"),
  };
}

/** The attributes of JUnit's `testsuite` elements. No report: no tests. */
export function readPytest(path: string): Counts {
  const suites = read(path)?.match(/<testsuite [^>]*>/g) ?? [];
  return suites.map(countSuite).reduce(add, NONE);
}

function countSuite(element: string): Counts {
  const attribute = (name: string) => Number(new RegExp(`\\s${name}="(\\d+)"`).exec(element)?.[1] ?? 0);
  const failed = attribute("failures") + attribute("errors");
  const skipped = attribute("skipped");
  return { passed: attribute("tests") - failed - skipped, failed, skipped };
}
