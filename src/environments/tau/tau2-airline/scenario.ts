// A tau2 scenario as the benchmark shows it to its user simulator.

export interface Tau2Scenario {
  readonly persona: string | null;
  readonly instructions: {
    readonly domain: string;
    readonly reason_for_call: string;
    readonly known_info: string | null;
    readonly unknown_info: string | null;
    readonly task_instructions: string;
  };
}

/** Labels, and blocks indented by tabs. */
export function renderScenario({ persona, instructions }: Tau2Scenario): string {
  const { domain, reason_for_call, known_info, unknown_info, task_instructions } = instructions;
  const block = (label: string, text: string | null) => (text === null ? [] : [`${label}:\n${indent(text)}`]);
  const inner = [
    `Domain: ${domain}`,
    ...block("Reason for call", reason_for_call),
    ...block("Known info", known_info),
    ...block("Unknown info", unknown_info),
    ...block("Task instructions", task_instructions),
  ];
  return [...block("Persona", persona), ...block("Instructions", inner.join("\n"))].join("\n");
}

/** Every line that holds more than white space. */
const indent = (text: string) => text.replace(/^(?=.*\S)/gm, "\t");
