// Finding a Python that the lock supports.
import * as places from "../places.mjs";
import { run } from "../processes.mjs";
import { SetupError } from "../step.mjs";

const CANDIDATES = ["python3.11", "python3.12", "python3.13", "python3.14", "python3", "python"];
const PROBE = "import sys; print(sys.executable, *sys.version_info[:3])";

/**
 * The first usable interpreter: TURNWISE_BASE_PYTHON, else the usual names on PATH.
 * @returns {Promise<{ path: string, version: string }>}
 */
export async function findPython() {
  const given = places.variable("TURNWISE_BASE_PYTHON");
  const tried = [];
  for (const command of given ? [given] : CANDIDATES) {
    const answer = await run(command, ["-c", PROBE], { timeoutSeconds: 20 });
    const [path, ...parts] = answer.answer.trim().split(/\s+/);
    if (answer.code !== 0 || path === undefined) {
      tried.push(`${command}: ${answer.code === null ? "not found" : "does not run"}`);
      continue;
    }
    const version = parts.map(Number);
    if (places.atLeast(version, places.MINIMUM_PYTHON) && places.atLeast(places.MAXIMUM_PYTHON, version.slice(0, 2))) {
      return { path, version: parts.join(".") };
    }
    tried.push(`${command}: ${parts.join(".")}`);
  }
  const range = `${places.MINIMUM_PYTHON.join(".")} to ${places.MAXIMUM_PYTHON.join(".")}`;
  throw new SetupError(`no Python ${range} found`, {
    tried,
    next: `install Python ${range}, or name one in TURNWISE_BASE_PYTHON, then run npm run setup again`,
  });
}
