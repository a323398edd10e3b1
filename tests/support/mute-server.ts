// Servers that accept and say nothing, or begin to speak and stop: what a deadline is for.

import { createServer as createHttp2Server, type Http2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";

export interface MuteServer {
  readonly port: number;
  close(): void;
}

/** Accepts TCP connections and sends `greeting`, then nothing for ever. */
export async function startMuteServer(greeting = ""): Promise<MuteServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => socket.write(greeting));
  });
  return listen(server, () => {
    for (const socket of sockets) socket.destroy();
  });
}

/** A gRPC server that takes every call and answers none but the first question of a client, which features it has: none. */
export async function startMuteGrpcServer(): Promise<MuteServer> {
  const server = createHttp2Server();
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    if (!String(headers[":path"]).endsWith("/GetSystemInfo")) return;
    stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "12" }, { endStream: true });
  });
  return listen(server, () => {
    for (const session of sessions) session.destroy();
  });
}

async function listen(server: Server | Http2Server, end: () => void): Promise<MuteServer> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      end();
      server.close();
    },
  };
}
