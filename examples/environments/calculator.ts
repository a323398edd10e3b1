// Sums for an agent with a calculator: the task opens, nobody answers, and the nearer the agent's last number is, the more it earns.
import type { EnvironmentPlugin, Episode, Grade, Observation } from "turnwise/environment";
import { newTask, taskProtocol, taskSet, z } from "turnwise/environment";

const Settings = z.strictObject({
  type: z.literal("calculator"),
  largest: z.int().min(2).max(20).default(9).describe("the numbers of a task are 0 to this"),
});

const NUMBER = /-?\d{1,9}(\.\d{1,9})?/g;
const Step = z.strictObject({ left: z.number(), operator: z.enum(["+", "-", "*"]), right: z.number() });

const CALCULATE = {
  type: "function",
  function: { name: "calculate", description: "One step of a sum.", parameters: z.toJSONSchema(Step) },
} as const;

const calculator: EnvironmentPlugin<z.infer<typeof Settings>> = {
  id: "calculator",
  configSchema: Settings,
  async openTaskSet({ largest }) {
    const numbers = Array.from({ length: largest + 1 }, (_, number) => number);
    const sums = numbers.flatMap((a) => numbers.flatMap((b) => numbers.map((c) => ({ a, b, c, answer: (a + b) * c }))));
    const answers = new Map(sums.map(({ a, b, c, answer }) => [`sum-${a}-${b}-${c}`, answer]));
    const tasks = (wanted: (part: number) => boolean) =>
      sums
        .filter(({ a, b, c }) => wanted((a + b + c) % 5))
        .map(({ a, b, c }) => newTask({ id: `sum-${a}-${b}-${c}`, environment: "calculator", instruction: `(${a} + ${b}) * ${c} =` }));
    return taskSet({
      splits: { train: tasks((part) => part > 1), selection: tasks((part) => part === 0), test: tasks((part) => part === 1) },
      world: {
        id: "calculator",
        tools: [CALCULATE],
        systemPrompt: "Answer with the number alone.",
        protocol: taskProtocol(),
        resume: "re-execute",
        open: async ({ id }) => episode(answers.get(id) ?? Number.NaN),
      },
    });
  },
};

export default calculator;

function episode(answer: number): Episode {
  let display = "";
  return {
    act: async (calls) =>
      calls.map(({ name, argumentsJson }) => {
        const seen = name === "calculate" ? calculate(argumentsJson) : { text: `there is no tool ${name}`, isError: true };
        if (!seen.isError) display = seen.text;
        return seen;
      }),
    fingerprint: async () => `display: ${display}`,
    grade: async ({ turns }): Promise<Grade> => {
      const said = turns.at(-1)?.content?.match(NUMBER)?.at(-1);
      if (said === undefined) return { reward: 0, passed: false, parts: {}, detail: "no number in the last message" };
      const distance = Math.abs(Number(said) - answer);
      const passed = distance === 0;
      return { reward: passed ? 1 : 0.5 / (1 + distance / (1 + answer)), passed, parts: { distance }, detail: `${said} is not ${answer}` };
    },
    close: async () => {},
  };
}

function calculate(argumentsJson: string): Observation {
  try {
    const { left, operator, right } = Step.parse(JSON.parse(argumentsJson));
    const results = { "+": left + right, "-": left - right, "*": left * right };
    return { text: String(results[operator]), isError: false };
  } catch (error) {
    return { text: `calculate wants left, operator (+, - or *) and right: ${String(error).split("\n")[0]}`, isError: true };
  }
}
