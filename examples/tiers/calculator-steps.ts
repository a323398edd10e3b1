// The calculator with tiers of its own: a step from numbers that the agent has read is not the same deed as one from numbers that it made up.
import type { EnvironmentPlugin, Labeller } from "turnwise/environment";
import calculator from "../environments/calculator.ts";

const VALUES = { known_step: 0.2, made_up_step: -0.2, repeated_step: -0.1, error: -0.2, message: 0 };
type Tier = keyof typeof VALUES;

const labeller: Labeller = {
  schemes: { "steps/1": { tiers: Object.keys(VALUES), sameDeed: [], defaultTable: { values: VALUES } } },
  /** Follows from the recorded conversation alone: nothing is played again. */
  label({ turns, firstUserMessage }) {
    const read = new Set(numbersIn(firstUserMessage));
    const made = new Set<string>();
    return turns.map((turn, position) => {
      const callTiers = turn.toolCalls.flatMap((call, callIndex) =>
        call.isExecuted ? [{ callIndex, tier: tierOf(call, read, made), match: null }] : [],
      );
      for (const { result } of turn.toolCalls) for (const number of numbersIn(result ?? "")) read.add(number);
      const tier: Tier = callTiers[0]?.tier ?? "message"; // of several calls the first speaks for the turn
      return {
        turn: turn.index,
        tier,
        callTiers,
        softMatch: null,
        numIgnoredCalls: turn.toolCalls.length - callTiers.length,
        action: tier,
        observation: position === 0 ? firstUserMessage : (turns[position - 1]?.toolCalls.map(({ result }) => result).join(" ") ?? ""),
      };
    });
  },
};

const steps: EnvironmentPlugin<{ type: "calculator"; largest: number }> = {
  ...calculator,
  openTaskSet: async (settings, resources) => ({ ...(await calculator.openTaskSet(settings, resources)), labeller }),
};

export default steps;

/** Marks the step as made. */
function tierOf(call: { argumentsJson: string; isError: boolean }, read: ReadonlySet<string>, made: Set<string>): Tier {
  if (call.isError) return "error";
  const isRepeated = made.has(call.argumentsJson);
  made.add(call.argumentsJson);
  if (isRepeated) return "repeated_step";
  return numbersIn(call.argumentsJson).every((number) => read.has(number)) ? "known_step" : "made_up_step";
}

/** As they are written, without their signs. */
function numbersIn(text: string): string[] {
  return text.match(/\d+(\.\d+)?/g) ?? [];
}
