// What the agent reads of a server's observation.
import { z } from "zod";
import type { Observation } from "#core/environment/episode.ts";
import { failed, type ServerObservation } from "./messages.ts";

const ToolError = z.looseObject({ error_type: z.string(), message: z.string() });
const ToolAnswer = z.looseObject({ tool_name: z.string(), result: z.unknown(), error: ToolError.nullish() });
const Content = z.looseObject({ type: z.string(), text: z.string().optional() });
const McpResult = z.looseObject({ content: z.array(Content), is_error: z.boolean().default(false) });

/** Errors of a call that are not the agent's: the tool could not be reached, or did not answer. */
const SERVER_ERRORS = ["transport_error", "timeout"];

type Text = Pick<Observation, "text" | "isError">;

/**
 * A tool's result as its text, an error as the server's words; any other observation as its fields, without those that every one has.
 * `shows`: the fields to take of the latter, a line each; undefined for all, as JSON, or as its text where it is one text.
 *
 * throws  environment.failed when the tool could not be reached, or answers with what is no text; when no field of `shows` is there
 */
export function shownText({ observation }: ServerObservation, shows: readonly string[] | undefined): Text {
  const answer = ToolAnswer.safeParse(observation);
  if (answer.success) return toolText(answer.data);
  const { metadata: _metadata, ...fields } = observation;
  const names = shows ?? Object.keys(fields);
  const shown = names.filter((name) => name in fields);
  if (shows !== undefined && shown.length === 0)
    throw failed(
      `an observation of the server has none of the fields that environment.shows names; it has ${Object.keys(fields).join(", ") || "none"}`,
      "correct environment.shows",
    );
  if (shows === undefined && shown.length !== 1) return { text: JSON.stringify(fields), isError: false };
  return { text: shown.map((name) => textOf(fields[name])).join("\n"), isError: false };
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function toolText({ tool_name: name, result, error }: z.infer<typeof ToolAnswer>): Text {
  if (error && SERVER_ERRORS.includes(error.error_type))
    throw failed(`the server's tool ${name} failed with ${error.error_type}: ${error.message}`);
  if (error) return { text: `Error: ${error.message}`, isError: true };
  const mcp = McpResult.safeParse(result);
  if (!mcp.success) return { text: textOf(result ?? null), isError: false };
  const other = mcp.data.content.find(({ text }) => text === undefined);
  if (other !== undefined) throw failed(`the server's tool ${name} answers with ${other.type}, and only text can be read`);
  return { text: mcp.data.content.map(({ text }) => text).join("\n"), isError: mcp.data.is_error };
}
