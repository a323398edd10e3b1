// A plain HTTP server that answers as a broken or refusing provider would. Only for failures: what works is tested on our own server.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FailingServer {
  readonly baseUrl: string;
  readonly requests: { readonly path: string; readonly headers: IncomingMessage["headers"]; readonly body: unknown }[];
  close(): Promise<void>;
}

export async function startFailingServer(answer: (response: ServerResponse, request: IncomingMessage) => void): Promise<FailingServer> {
  const requests: FailingServer["requests"] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      requests.push({ path: request.url ?? "", headers: request.headers, body: text === "" ? null : JSON.parse(text) });
      answer(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
