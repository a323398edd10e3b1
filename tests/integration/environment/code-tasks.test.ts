// What Python says of the generated tasks: their solutions print the answers and pass the tests, and programs that lack a step do not.
import { describe, expect, test } from "vitest";
import { CodeTaskOptions } from "#contracts/code-task.ts";
import { generateTasks } from "#environments/code-reasoning/tasks/generate-tasks.ts";
import { hasPython, runPython } from "../../support/python.ts";

const RUN = `
import contextlib, io, json, sys
def run(program, tests):
    out, space = io.StringIO(), {}
    try:
        with contextlib.redirect_stdout(out):
            exec(program, space)
            for test in tests:
                exec(test, space)
    except Exception as error:
        return {"printed": out.getvalue().strip(), "error": type(error).__name__}
    return {"printed": out.getvalue().strip(), "error": None}
print(json.dumps([run(one["program"], one["tests"]) for one in json.load(sys.stdin)]))
`;
interface Ran {
  readonly printed: string;
  readonly error: string | null;
}
const run = (programs: readonly { program: string; tests: readonly string[] }[]) => runPython(RUN, programs) as Ran[];

describe.runIf(hasPython)("generated tasks in Python", () => {
  const tasks = Object.values(generateTasks(CodeTaskOptions.parse({ seed: 7, train: 500, selection: 250, test: 250 }))).flat();

  test("the solution prints the answer, or passes the tests", () => {
    const ran = run(tasks.map(({ solution, tests }) => ({ program: solution ?? "", tests: tests ?? [] })));
    expect(ran.map(({ printed, error }) => ({ printed, error }))).toEqual(
      tasks.map(({ answer }) => ({ printed: answer ?? "", error: null })),
    );
  });

  test("a program without one of the steps fails a test", () => {
    const lacking = tasks.flatMap(({ solution, tests }) => {
      const lines = (solution ?? "").split("\n");
      return tests === null ? [] : lines.slice(1, -1).map((_, i) => ({ program: lines.toSpliced(i + 1, 1).join("\n"), tests }));
    });
    expect(lacking.length).toBeGreaterThan(400);
    expect(new Set(run(lacking).map(({ error }) => error))).toEqual(new Set(["AssertionError"]));
  });
});
