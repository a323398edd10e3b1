import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CODE_FAMILIES, CodeTask, CodeTaskOptions } from "#contracts/code-task.ts";
import { isCorrect } from "#environments/code-reasoning/answers/answer.ts";
import { CODE_SPLITS, generateTasks, splitOfQuestion } from "#environments/code-reasoning/tasks/generate-tasks.ts";
import { parseQuestions } from "#environments/code-reasoning/tasks/parse-questions.ts";
import { solveQuestion } from "./solve-question.ts";

const options = (given: Partial<CodeTaskOptions>) => CodeTaskOptions.parse({ seed: 1, train: 0, selection: 0, test: 0, ...given });
const seeds = fc.nat();
const all = (given: Partial<CodeTaskOptions>) => Object.values(generateTasks(options(given))).flat();

describe("generated tasks", () => {
  test("another solver, which has the question only, finds every answer", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const families = CODE_FAMILIES.filter((family) => family !== "programs");
        for (const { question, answer } of all({ seed, families, train: 60, selection: 20, test: 20 })) {
          expect([question, answer]).toEqual([question, solveQuestion(question)]);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("every task keeps the contract, its answer is its own and no neighbour's", () => {
    for (const task of all({ train: 100, selection: 50, test: 50 })) {
      expect(CodeTask.parse(task)).toEqual(task);
      if (task.answer === null) expect(task.tests?.length).toBeGreaterThan(3);
      else {
        expect(isCorrect(task.answer, task.answer)).toBe(true);
        expect(isCorrect(`${task.answer}1`, task.answer)).toBe(false);
      }
    }
  });

  test("the same seed gives the same bytes, another seed others, and more tasks begin with fewer", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 40 }), (seed, few, more) => {
        const one = JSON.stringify(generateTasks(options({ seed, train: few, test: 7 })));
        expect(JSON.stringify(generateTasks(options({ seed, train: few, test: 7 })))).toBe(one);
        expect(JSON.stringify(generateTasks(options({ seed: seed + 1, train: few, test: 7 })))).not.toBe(one);
        const longer = generateTasks(options({ seed, train: few + more, test: 7 }));
        expect(JSON.stringify({ ...longer, train: longer.train.slice(0, few) })).toBe(one);
      }),
      { numRuns: 15 },
    );
  });

  test("no question is in two splits, not even of two seeds, and none is there twice", () => {
    fc.assert(
      fc.property(seeds, seeds, (seed, other) => {
        const splits = [seed, other].map((each) => generateTasks(options({ seed: each, train: 60, selection: 30, test: 30 })));
        for (const split of splits) {
          const tasks = Object.values(split).flat();
          expect(new Set(tasks.map(({ question }) => question)).size).toBe(120);
          expect(new Set(tasks.map(({ id }) => id)).size).toBe(120);
          for (const name of CODE_SPLITS) for (const { question } of split[name]) expect(splitOfQuestion(question)).toBe(name);
        }
        const trained = new Set(splits[0]?.train.map(({ question }) => question));
        expect(splits[1]?.test.filter(({ question }) => trained.has(question))).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });

  test("families and difficulties are dealt in turn, each as often as it can be", () => {
    const { train } = generateTasks(options({ train: 53 }));
    const counts = new Map<string, number>();
    for (const { family, difficulty } of train) counts.set(`${family} ${difficulty}`, (counts.get(`${family} ${difficulty}`) ?? 0) + 1);
    expect(counts.size).toBe(25);
    expect([...new Set(counts.values())].sort()).toEqual([2, 3]);
    expect(
      generateTasks(options({ train: 9, families: ["dates", "dates"], difficulties: [2, 2] })).train.map(({ family }) => family),
    ).toEqual(new Array(9).fill("dates"));
  });

  test("a harder question of a family is a longer one to work out", () => {
    const lengths = [1, 2, 3, 4, 5].map((difficulty) => {
      const programs = all({ families: ["arithmetic", "programs"], difficulties: [difficulty], train: 40 });
      return programs.reduce((sum, { solution }) => sum + (solution?.split("\n").length ?? 0), 0);
    });
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
    expect(new Set(lengths).size).toBe(5);
  });

  test("a family that has no more questions says how many it found", () => {
    expect(() => generateTasks(options({ families: ["programs"], difficulties: [1], train: 100_000 }))).toThrowError(
      /programs has no more questions of difficulty 1: found \d+ for train/,
    );
  });
});

describe("questions of one's own", () => {
  const line = fc.record(
    {
      question: fc.string({ minLength: 1 }).filter((text) => text.trim() !== ""),
      answer: fc.oneof(
        fc.string({ minLength: 1 }).filter((text) => text.trim() !== ""),
        fc.integer(),
      ),
      tests: fc.array(fc.constantFrom("assert f(1) == 2", "assert f([]) is None"), { minLength: 1 }),
      difficulty: fc.integer({ min: 1, max: 5 }),
    },
    { requiredKeys: ["question", "answer"] },
  );
  const lines = fc.uniqueArray(line, { selector: ({ question }) => question.trim().replace(/\s+/g, " ").toLowerCase(), minLength: 1 });

  test("what was written is read, whatever line ends, empty lines and marks of the encoding are around it", () => {
    fc.assert(
      fc.property(lines, fc.constantFrom("\n", "\r\n", "\n\n", "\n  \n"), fc.constantFrom("", "\ufeff"), (list, end, start) => {
        const tasks = parseQuestions(`${start}${list.map((one) => JSON.stringify(one)).join(end)}${end}`, "own.jsonl");
        expect(tasks.map(({ question, answer, tests, difficulty }) => ({ question, answer, tests, difficulty }))).toEqual(
          list.map(({ question, answer, tests, difficulty }) => ({
            question: question.trim(),
            answer: String(answer).trim(),
            tests: tests ?? null,
            difficulty: difficulty ?? null,
          })),
        );
        for (const task of tasks) expect(CodeTask.parse(task)).toEqual(task);
      }),
    );
  });

  test("a question keeps its id and its split wherever its line stands", () => {
    const [one, other] = ['{"question": "1 + 1?", "answer": 2}', '{"question": "2 + 2?", "answer": "#### 4"}'];
    const [forward, backward] = [parseQuestions(`${one}\n${other}`, "f"), parseQuestions(`${other}\n${one}`, "f")];
    expect(backward).toEqual([...forward].reverse());
    expect(splitOfQuestion(" 1 +\n1?")).toBe(splitOfQuestion("1 + 1?"));
  });

  test("an answer that is a number keeps its digits", () => {
    const [task] = parseQuestions('{"question": "q", "answer": 2512292042121000001}', "f");
    expect(task?.answer).toBe("2512292042121000001");
  });

  test.each([
    ["no JSON", "{", "it is no JSON"],
    ["no object", '["question"]', "wanted an object"],
    ["no question", '{"answer": "1"}', "question: it is missing"],
    ["an empty question", '{"question": " ", "answer": "1"}', "question: wanted at least 1 character"],
    ["neither answer nor tests", '{"question": "q"}', "the line: wanted an answer, tests or both"],
    ["no tests", '{"question": "q", "tests": []}', "tests: wanted at least 1 item"],
    ["an unknown key", '{"question": "q", "anwser": "1", "answer": "1"}', "unknown key anwser, did you mean answer?"],
    ["a difficulty that is none", '{"question": "q", "answer": "1", "difficulty": 9}', "difficulty: wanted"],
    ["an id that is no file name", '{"question": "q", "answer": "1", "id": "../q"}', "id: wanted"],
    ["an answer of another type", '{"question": "q", "answer": null}', "answer: wanted"],
    ["a question for the second time", '{"question": "First  QUESTION?", "answer": "2"}', "its question is that of line 1"],
    ["half of a character", '{"question": "q", "answer": "\\ud800"}', "half of a character"],
    ["an id for the second time", '{"question": "q", "answer": "2", "id": "a"}', "its id is that of line 1"],
  ])("%s is refused with its line", (_, wrong, problem) => {
    const good = '{"question": "First question?", "answer": "1", "id": "a"}';
    const read = () => parseQuestions(`${good}\n\n${wrong}\n`, "own.jsonl");
    expect(read).toThrowError(expect.objectContaining({ code: "contract.invalid" }));
    expect(read).toThrowError(`own.jsonl: line 3: ${problem}`);
  });

  test("all wrong lines are told at once, of many the first and how many more; a file without a line is refused", () => {
    expect(() => parseQuestions("{\n[]\n", "f")).toThrowError(/line 1: .*; line 2: /);
    expect(() => parseQuestions("{\n".repeat(20), "f")).toThrowError(/line 8: it is no JSON; and 12 lines more/);
    expect(() => parseQuestions("\n \n", "f")).toThrowError("f: there is no question in it");
  });
});
