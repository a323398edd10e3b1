// Runs of agents in words of our own, written in every format that is read: siblings of what people bring.
import fc from "fast-check";

/** A rollout that the writers below can write. `words` tells it from others of its task. */
export interface WrittenRollout {
  readonly task: number;
  readonly trial: number;
  readonly isPass: boolean;
  readonly words: string;
}

export interface WrittenRun {
  /** Tasks of two domains ask for different things, under equal ids. */
  readonly domain: string;
  readonly rollouts: readonly WrittenRollout[];
}

/** Trials of a few tasks; some go exactly alike, as those of an agent without randomness do. */
export const writtenRun = (domain: string): fc.Arbitrary<WrittenRun> =>
  fc
    .array(fc.array(fc.record({ isPass: fc.boolean(), words: fc.constantFrom("yes", "no", "perhaps") }), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 3,
    })
    .map((tasks) => ({
      domain,
      rollouts: tasks.flatMap((trials, task) => trials.map((one, trial) => ({ task, trial, ...one, words: `${domain} ${one.words}` }))),
    }));

const call = (domain: string, { task, isPass }: WrittenRollout) => ({
  name: "cancel_reservation",
  arguments: { reservation_id: isPass ? `${domain}${task}` : "OTHER" },
});
const golden = (domain: string, task: number) => ({ name: "cancel_reservation", arguments: { reservation_id: `${domain}${task}` } });
const instruction = (domain: string, task: number) => `cancel ${domain}${task}`;

function messages(domain: string, rollout: WrittenRollout) {
  const { name, arguments: args } = call(domain, rollout);
  return [
    { role: "system", content: "the policy" },
    { role: "user", content: instruction(domain, rollout.task) },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "c", type: "function", function: { name, arguments: JSON.stringify(args) } }],
    },
    { role: "tool", tool_call_id: "c", name, content: "done" },
    { role: "assistant", content: rollout.words },
    { role: "user", content: "###STOP###" },
  ];
}

export function asTauBench({ domain, rollouts }: WrittenRun): string {
  const entries = rollouts.map((rollout) => {
    const { name, arguments: kwargs } = golden(domain, rollout.task);
    return {
      task_id: rollout.task,
      reward: rollout.isPass ? 1 : 0,
      info: {
        task: { user_id: `ann_${domain}_1`, instruction: instruction(domain, rollout.task), actions: [{ name, kwargs }], outputs: [] },
      },
      traj: messages(domain, rollout),
      trial: rollout.trial,
    };
  });
  return JSON.stringify(entries, null, 1);
}

/** tau2 greets first, writes arguments as objects, and ids of results as `id`. */
export function tau2Simulation(domain: string, rollout: WrittenRollout): object {
  const greeting = { role: "assistant", content: "Hi! How can I help you today?" };
  const spoken = messages(domain, rollout)
    .slice(1)
    .map((message) => {
      if (message.role === "tool") return { role: "tool", id: "c", content: message.content, error: false, requestor: "assistant" };
      return message.tool_calls === undefined
        ? message
        : { ...message, tool_calls: [{ id: "c", ...call(domain, rollout), requestor: "assistant" }] };
    });
  return {
    id: `${domain}-${rollout.task}-${rollout.trial}`,
    task_id: String(rollout.task),
    trial: rollout.trial,
    termination_reason: "user_stop",
    reward_info: { reward: rollout.isPass ? 1 : 0 },
    messages: [greeting, ...spoken],
  };
}

export function tau2Head({ domain, rollouts }: WrittenRun): object {
  const tasks = [...new Set(rollouts.map(({ task }) => task))].map((task) => ({
    id: String(task),
    user_scenario: { persona: null, instructions: instruction(domain, task) },
    evaluation_criteria: { actions: [{ action_id: "0", ...golden(domain, task) }], communicate_info: [] },
  }));
  return { timestamp: "2026-01-01T00:00:00", info: { environment_info: { domain_name: domain, policy: "p" } }, tasks };
}

export function asTau2(run: WrittenRun): string {
  return JSON.stringify({ ...tau2Head(run), simulations: run.rollouts.map((rollout) => tau2Simulation(run.domain, rollout)) });
}

/** `more` are fields that the lines have beside what they need. */
export function asLines({ domain, rollouts }: WrittenRun, more: object = {}): string {
  return rollouts
    .map((rollout) =>
      JSON.stringify({
        task_id: String(rollout.task),
        outcome: rollout.isPass ? 1 : 0,
        messages: messages(domain, rollout),
        golden_actions: [golden(domain, rollout.task)],
        ...more,
      }),
    )
    .join("\n");
}

export const WRITERS = { "tau-bench": asTauBench, tau2: asTau2, lines: asLines } as const;
