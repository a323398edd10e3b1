// Hosted models behind a real proxy, and this machine never.
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { checkEndpoint } from "#adapters/inference/check-endpoint.ts";
import { createInferenceClient } from "#adapters/inference/client.ts";
import { isReady } from "#adapters/services/readiness.ts";
import { createLlmSimulator } from "#adapters/simulator/llm.ts";
import { MlflowClient } from "#adapters/tracking/mlflow-client.ts";
import { TASK, testClock } from "../../unit/core/rollout/parties.ts";
import { type FailingServer, sendJson, startFailingServer } from "./failing-server.ts";

const ANSWER = { choices: [{ message: { content: "I want a seat." } }], usage: { prompt_tokens: 1, completion_tokens: 1 } };
const VARIABLES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"].flatMap((name) => [name, name.toUpperCase()]);
const signal = new AbortController().signal;

let proxy: Server;
let seen: string[];
let status: number;
let server: FailingServer;
beforeEach(async () => {
  [seen, status] = [[], 200];
  for (const name of VARIABLES) vi.stubEnv(name, "");
  server = await startFailingServer((response) => sendJson(response, 200, ANSWER));
  proxy = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers["proxy-authorization"] ?? "-"}`);
    request.resume().on("end", () => sendJson(response, status, status === 200 ? ANSWER : { error: { message: "the proxy says no" } }));
  });
  // Tunnels end at the model's server of the test, whatever host was asked for.
  proxy.on("connect", (request, socket) => {
    seen.push(`CONNECT ${request.url}`);
    if (status !== 200) return socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const behind = connect(Number(new URL(server.baseUrl).port), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      behind.pipe(socket).pipe(behind);
    });
    socket.on("error", () => behind.destroy());
    behind.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});

const address = (userinfo = "") => `http://${userinfo}127.0.0.1:${(proxy.address() as AddressInfo).port}`;
const reply = (baseUrl: string, environment: Record<string, string>) =>
  createLlmSimulator({
    client: createInferenceClient({ baseUrl, environment }),
    ...{ model: "m", temperature: 1, maxTokens: 9, clock: testClock(), limits: { deadlineSeconds: 5 } },
  }).reply(TASK, { firstUserMessage: null, exchanges: [] }, { seed: "1", signal });
const refused = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );

describe("a hosted model", () => {
  test.each(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])(
    "over http is asked through %s, with the proxy's credentials",
    async (variable) => {
      const { content } = await reply("http://models.example.test/v1", { [variable]: address("me:ses%40me@") });
      expect(content).toBe("I want a seat.");
      expect(seen).toEqual([`POST http://models.example.test/v1/chat/completions Basic ${Buffer.from("me:ses@me").toString("base64")}`]);
    },
  );

  test.each(["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])("over https is asked through a tunnel of %s", async (variable) => {
    const failure = await refused(reply("https://models.example.test/v1", { [variable]: address() }));
    expect(seen[0]).toBe("CONNECT models.example.test:443");
    expect(failure).toMatchObject({ code: "simulator.unavailable" }); // what is behind this tunnel speaks no TLS
  });

  test("that no_proxy names is asked straight", async () => {
    const failure = await refused(reply("http://models.example.test/v1", { HTTP_PROXY: address(), NO_PROXY: "localhost,.example.test" }));
    expect(failure).toMatchObject({ message: expect.stringContaining("models.example.test") });
    expect(failure.message).not.toContain("proxy");
    expect(seen).toEqual([]);
  });

  test("whose proxy says no, or is away, is told so by the proxy's variable and without its credentials", async () => {
    status = 407;
    const tunnel = await refused(reply("https://models.example.test/v1", { HTTPS_PROXY: address("me:sesame@") }));
    const plain = await refused(reply("http://models.example.test/v1", { HTTP_PROXY: address("me:sesame@") }));
    const away = await refused(reply("http://models.example.test/v1", { HTTP_PROXY: "http://me:sesame@127.0.0.1:9" }));
    expect(tunnel.message).toMatch(/through the proxy http:\/\/127\.0\.0\.1:\d+ of HTTPS_PROXY: .*407/);
    expect(plain).toMatchObject({ code: "provider.unauthorized", message: expect.stringContaining("the proxy says no") });
    expect(away.message).toContain("through the proxy http://127.0.0.1:9 of HTTP_PROXY: connect ECONNREFUSED");
    expect([tunnel, plain, away].map((error) => JSON.stringify([error.message, error.next])).join()).not.toContain("sesame");
  });

  test("that is looked for before a campaign is looked for in the same way", async () => {
    const endpoint = { baseUrl: "http://models.example.test/v1" };
    vi.stubEnv("http_proxy", address());
    await checkEndpoint(endpoint);
    expect(seen).toEqual(["GET http://models.example.test/v1/models -"]);
    vi.stubEnv("http_proxy", "http://127.0.0.1:9");
    await expect(checkEndpoint(endpoint)).rejects.toMatchObject({
      code: "config.unreachable",
      message: expect.stringContaining("through the proxy http://127.0.0.1:9 of http_proxy"),
      next: expect.stringContaining("NO_PROXY=models.example.test"),
    });
  });
});

describe("this machine", () => {
  test("is never asked through a proxy: models, MLflow, services", async () => {
    for (const name of [...VARIABLES, "NODE_USE_ENV_PROXY"]) vi.stubEnv(name, /no_proxy/i.test(name) ? "" : address());
    const origin = new URL(server.baseUrl).origin;
    const environment = process.env as Record<string, string>;
    for (const host of ["127.0.0.1", "localhost"])
      expect(await reply(`http://${host}:${new URL(server.baseUrl).port}/v1`, environment)).toMatchObject({ content: "I want a seat." });
    await checkEndpoint({ baseUrl: server.baseUrl });
    expect(await isReady({ type: "http", url: `${origin}/health` })).toBe(true);
    expect(await new MlflowClient({ baseUrl: origin }).version()).toBe(JSON.stringify(ANSWER));
    expect(seen).toEqual([]);
  });

  test("that does not answer is told without a word on proxies", async () => {
    vi.stubEnv("HTTP_PROXY", address());
    await expect(checkEndpoint({ baseUrl: "http://127.0.0.1:9/v1" })).rejects.toMatchObject({
      code: "config.unreachable",
      message: expect.stringMatching(/^http:\/\/127\.0\.0\.1:9\/v1 does not answer: connect ECONNREFUSED/),
    });
    expect(seen).toEqual([]);
  });
});

test("an MLflow elsewhere is asked through the proxy, and a proxy that is none is told", async () => {
  const version = (environment: Record<string, string>) =>
    new MlflowClient({ baseUrl: "http://mlflow.example.test", environment }).version();
  expect(await version({ HTTP_PROXY: address() })).toBe(JSON.stringify(ANSWER));
  await expect(version({ ALL_PROXY: "socks5://proxy:1080" })).rejects.toMatchObject({
    code: "tracking.unavailable",
    message: expect.stringContaining("ALL_PROXY"),
  });
});

test("a proxy that is none stops a campaign's look at its endpoint, unless the host goes without", async () => {
  vi.stubEnv("ALL_PROXY", "socks5://proxy:1080");
  await expect(checkEndpoint({ baseUrl: "https://models.example.test/v1" })).rejects.toMatchObject({ code: "config.invalid" });
  vi.stubEnv("NO_PROXY", "*");
  await expect(checkEndpoint({ baseUrl: "https://models.example.test/v1" })).rejects.toMatchObject({ code: "config.unreachable" });
});
