// An episode on a server of the OpenEnv protocol: one session, reset once, stepped until the server says that it is over.
import type { EnvironmentCall } from "#core/environment/environment.ts";
import type { Episode, Observation } from "#core/environment/episode.ts";
import type { OpenEnvConfig } from "./config.ts";
import { failed, observationOf, type ServerObservation, wordsOf } from "./messages.ts";
import { type Earnings, gradeOf } from "./reward.ts";
import type { OpenSession, Session } from "./server.ts";
import { shownText } from "./shown-text.ts";
import type { ServerTools } from "./tools.ts";

export interface EpisodeSettings extends Pick<OpenEnvConfig, "shows" | "reward"> {
  readonly tools: ServerTools;
}

/** `answer`: to the reset. Throws environment.failed, with the session closed, when the server refused it or is over at once. */
export async function openEpisode({ session, answer }: OpenSession, instruction: string, settings: EpisodeSettings): Promise<Episode> {
  try {
    const first = observationOf(answer, "the reset");
    if (first.done) throw failed("the episode is over as soon as it is reset");
    const opening = [instruction, shownText(first, settings.shows).text].filter((part) => part !== "").join("\n\n");
    return episodeOn(session, opening, settings);
  } catch (error) {
    await session.close();
    throw error;
  }
}

function episodeOn(session: Session, opening: string, { tools, shows, reward }: EpisodeSettings): Episode {
  let earned: Earnings = { rewards: [], numSteps: 0, isOver: false };
  const step = async ({ name, argumentsJson }: EnvironmentCall, signal: AbortSignal): Promise<Observation> => {
    const unreadable = whyUnreadable(argumentsJson);
    if (unreadable !== null) return refusal(unreadable);
    const message = tools.message(name, argumentsJson);
    if (message === null) return refusal(`there is no tool ${name}`);
    const answer = await session.ask(message, signal);
    if (answer.type === "error" && answer.data.code === "VALIDATION_ERROR") return refusal(wordsOf(answer.data));
    const observation = observationOf(answer, `a call of ${name}`);
    earned = withStep(earned, observation);
    return { ...shownText(observation, shows), ...(observation.done ? { isLast: true } : {}) };
  };
  return {
    opening,
    async act(calls, signal) {
      const seen: Observation[] = [];
      for (const call of calls) {
        seen.push(await step(call, signal));
        if (earned.isOver) break;
      }
      return seen;
    },
    fingerprint: async () => null,
    grade: async () => gradeOf(earned, reward),
    close: () => session.close(),
  };
}

const refusal = (why: string): Observation => ({ text: `Error: ${why}`, isError: true });

function withStep({ rewards, numSteps }: Earnings, { reward, done }: ServerObservation): Earnings {
  return { rewards: reward == null ? rewards : [...rewards, Number(reward)], numSteps: numSteps + 1, isOver: done };
}

/** The text goes to the server as it is, so it must be one object. */
function whyUnreadable(argumentsJson: string): string | null {
  try {
    const value: unknown = JSON.parse(argumentsJson);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? null : "the arguments are no JSON object";
  } catch {
    return "the arguments are no JSON";
  }
}
