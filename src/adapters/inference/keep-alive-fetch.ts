// fetch over node:http with kept connections, for many small JSON requests to one server. Measured with the openai package at 64 in flight:
// 0.2 ms of CPU per request instead of 0.35 with the built-in fetch. Never follows a redirect: a model endpoint has no reason to send one.
import http from "node:http";
import https from "node:https";

const OPTIONS = { keepAlive: true, maxSockets: 256, scheduling: "lifo", timeout: 0 } as const;
/** Answers are JSON of some hundred kilobytes at most; a server that sends more is broken or hostile. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** A `fetch` for clients that send strings and read text or JSON; it has no streams. */
export function createKeepAliveFetch(): typeof fetch {
  const transports = {
    "http:": { request: http.request, agent: new http.Agent(OPTIONS) },
    "https:": { request: https.request, agent: new https.Agent(OPTIONS) },
  };
  return (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const transport = transports[url.protocol as "http:"];
    return new Promise((resolve, reject) => {
      const options = {
        method: init.method ?? "GET",
        headers: plainHeaders(init.headers),
        agent: transport.agent,
        ...(init.signal ? { signal: init.signal } : {}),
      };
      const request = transport.request(url, options, (response) => void readAll(response).then(resolve, reject));
      request.on("error", reject);
      request.end(init.body ?? undefined);
    });
  };
}

function plainHeaders(headers: RequestInit["headers"]): Record<string, string> {
  return Object.fromEntries(new Headers(headers));
}

async function readAll(message: http.IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = [];
  let numBytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    numBytes += chunk.length;
    if (numBytes > MAX_BODY_BYTES) throw new Error(`the answer is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  const status = message.statusCode ?? 0;
  const body = status === 204 || status === 304 ? null : Buffer.concat(chunks);
  return new Response(body, {
    status,
    headers: Object.entries(message.headers).map(([name, value]) => [name, String(value)] as [string, string]),
  });
}
