// A WebSocket to a server of the OpenEnv protocol: one question at a time, and an answer to each.
import { CampaignError } from "#core/errors.ts";
import { plainText } from "#core/text.ts";
import { type Answer, failed, readAnswer, wordsOf } from "#environments/openenv/messages.ts";
import type { Session } from "#environments/openenv/server.ts";

/** Until a server that was asked to close is left alone. */
const CLOSE_MILLISECONDS = 5_000;

/** The connection as it is being made; rejects with environment.unavailable. An abort gives it up. */
export function connect(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<SocketSession> {
  signal.throwIfAborted();
  const socket = new WebSocket(url, { headers: { ...headers } });
  return new Promise((resolve, reject) => {
    const stop = () => {
      socket.close();
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", stop, { once: true });
    socket.addEventListener("open", () => {
      signal.removeEventListener("abort", stop);
      resolve(new SocketSession(socket, url));
    });
    socket.addEventListener("close", () => {
      signal.removeEventListener("abort", stop);
      reject(unavailable(`no WebSocket could be opened to ${url}`));
    });
    socket.addEventListener("error", () => {}); // says nothing; `close` follows
  });
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

export class SocketSession implements Session {
  readonly #socket: WebSocket;
  readonly #url: string;
  readonly #closed: Promise<void>;
  #waiting: Waiting | null = null;
  /** What the server said before it was asked: why it will close the connection. */
  #lastWords: Answer | null = null;
  /** Why there are no more answers. */
  #end: Error | null = null;

  constructor(socket: WebSocket, url: string) {
    this.#socket = socket;
    this.#url = url;
    this.#closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code, reason }) => {
        this.#fail(this.#broken(code, reason));
        resolve();
      });
    });
    socket.addEventListener("message", ({ data }) => this.#hear(data));
  }

  async ask(message: string, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    if (this.#lastWords !== null) return this.#lastWords;
    if (this.#end !== null) throw this.#end;
    if (this.#waiting !== null) throw new Error("a session answers one question at a time");
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const stop = () => this.#giveUp(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    this.#waiting = { resolve, reject };
    this.#socket.send(message);
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Resolves when the server has closed the connection: its environment is gone by then, and its place is free. */
  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.OPEN && this.#end === null) this.#socket.send(JSON.stringify({ type: "close" }));
    this.#end ??= new Error("the session is closed");
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MILLISECONDS);
    });
    await Promise.race([this.#closed, late]);
    clearTimeout(timer);
    this.#socket.close();
  }

  #hear(data: unknown): void {
    const { answer, error } = read(data);
    const waiting = this.#waiting;
    this.#waiting = null;
    if (error !== null) {
      waiting?.reject(error);
      this.#giveUp(error);
    } else if (waiting !== null) waiting.resolve(answer);
    else this.#lastWords = answer;
  }

  #fail(error: Error): void {
    this.#end ??= error;
    this.#waiting?.reject(error);
    this.#waiting = null;
  }

  #giveUp(reason: Error): void {
    this.#fail(reason);
    this.#socket.close();
  }

  #broken(code: number, reason: string): CampaignError {
    const said = this.#lastWords?.type === "error" ? `: ${wordsOf(this.#lastWords.data)}` : reason === "" ? "" : `: ${plainText(reason)}`;
    return unavailable(`the connection to ${this.#url} broke (WebSocket code ${code})${said}; the server's environment is gone with it`);
  }
}

type Read = { readonly answer: Answer; readonly error: null } | { readonly answer: null; readonly error: Error };

function read(data: unknown): Read {
  try {
    if (typeof data !== "string") throw failed("the server sent bytes, which is none of the OpenEnv protocol");
    return { answer: readAnswer(data), error: null };
  } catch (error) {
    return { answer: null, error: error as Error };
  }
}

export const unavailable = (what: string, next = "see that the server runs, and what it says in its log"): CampaignError =>
  new CampaignError("environment.unavailable", what, { next });
