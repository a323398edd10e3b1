// The tools of a server: those that it lists, or its one action as a tool.
import { z } from "zod";
import type { ToolSchema } from "#core/ports.ts";
import type { OpenEnvConfig } from "./config.ts";
import { actionMessage, callMessage, failed, LIST_TOOLS, observationOf, shaped } from "./messages.ts";
import type { OpenEnvServer } from "./server.ts";

export interface ServerTools {
  /** In the order of the server. */
  readonly schemas: readonly ToolSchema[];
  /** The `step` that a call is, or null for a tool that there is not. `argumentsJson`: a JSON object. */
  message(name: string, argumentsJson: string): string | null;
}

const Parameters = z.record(z.string(), z.json());
const ListedTools = z.looseObject({
  tools: z.array(z.looseObject({ name: z.string().min(1), description: z.string().default(""), input_schema: Parameters })),
  metadata: z.looseObject({ error: z.string().optional() }).prefault({}),
});
const Schemas = z.looseObject({ action: z.looseObject({ properties: Parameters.default({}) }).catchall(z.json()) });

export async function openTools(server: OpenEnvServer, tools: OpenEnvConfig["tools"], signal: AbortSignal): Promise<ServerTools> {
  if (tools === "server") return { schemas: await listTools(server, signal), message: callMessage };
  const parameters = await actionSchema(server, signal);
  return {
    schemas: [toolSchema(tools.name, tools.description, parameters)],
    message: (name, argumentsJson) => (name === tools.name ? actionMessage(argumentsJson) : null),
  };
}

const toolSchema = (name: string, description: string, parameters: Record<string, unknown>): ToolSchema => ({
  type: "function",
  function: { name, description, parameters },
});

async function listTools(server: OpenEnvServer, signal: AbortSignal): Promise<ToolSchema[]> {
  const { session, answer } = await server.open(LIST_TOOLS, signal);
  await session.close();
  if (answer.type === "error" && answer.data.code === "VALIDATION_ERROR")
    throw failed("the server's environment has no tools to list", "set environment.tools to a name for its action");
  const what = "the question for its tools";
  const { tools, metadata } = shaped(ListedTools, observationOf(answer, what).observation, what);
  if (metadata.error !== undefined) throw failed(`the server could not list its tools: ${metadata.error}`);
  if (tools.length === 0)
    throw failed("the server lists no tools", "set environment.tools to a name for its action, or give the server tools");
  return tools.map((tool) => toolSchema(tool.name, tool.description, tool.input_schema));
}

/** The action's fields without `metadata`, which every action has and no agent fills in. */
async function actionSchema(server: OpenEnvServer, signal: AbortSignal): Promise<Record<string, unknown>> {
  const { action } = shaped(Schemas, await server.read("/schema", { signal }), "/schema");
  const { properties, ...schema } = action;
  const { metadata: _metadata, ...fields } = properties;
  return { ...schema, properties: fields };
}
