import type { SynthesizedTask } from "#contracts/task-file.ts";

/** The sentences of a synthesized task that are about one of its wishes. */
export function wordsOfWish({ scenario, decisions }: SynthesizedTask, index: number): string {
  const request = scenario.reasonForCall.split(/(?<=\.) /)[index] ?? "";
  if (decisions.length === 1) return [request, scenario.knownInfo, scenario.taskInstructions].join(" ");
  const about = [scenario.knownInfo, scenario.taskInstructions].flatMap((text) =>
    text.split(/(?=About wish )/).filter((part) => part.startsWith(`About wish ${index + 1}:`)),
  );
  return [request, ...about].join(" ");
}
