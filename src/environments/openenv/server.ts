// A server of the OpenEnv protocol as environments use one. src/adapters/openenv speaks to it.
import type { Answer } from "./messages.ts";

export interface ServerAddress {
  /** http(s), with the path that comes before /ws and /health. */
  readonly url: string;
  /** Name of the environment variable that holds a bearer token. Absent: none is sent. */
  readonly apiKeyEnv?: string | undefined;
}

export interface OpenEnvServer {
  /** The parsed JSON of a page that is not about an episode. POST with a body, else GET. Throws environment.unavailable, environment.failed. */
  read(path: string, options: { readonly body?: unknown; readonly signal: AbortSignal }): Promise<unknown>;
  /**
   * Opens a session, which has an environment of its own, with its first message. While the server is full or does not answer it is asked
   * again. Throws environment.unavailable when it stays so, environment.failed, the signal's reason.
   */
  open(firstMessage: string, signal: AbortSignal): Promise<OpenSession>;
}

export interface OpenSession {
  readonly session: Session;
  /** To the first message. */
  readonly answer: Answer;
}

/** A connection and the environment behind it: when the one is gone, so is the other. */
export interface Session {
  /** One message (JSON), and what the server answers to it. An abort, too, ends the session: its answer could not be told from the next one. */
  ask(message: string, signal: AbortSignal): Promise<Answer>;
  /** The server closes its environment. Any number of times. */
  close(): Promise<void>;
}
