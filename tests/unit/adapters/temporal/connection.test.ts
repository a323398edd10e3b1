// Through which proxies a Temporal server is reached.
import { expect, test } from "vitest";
import { connectionTo } from "#adapters/temporal/connection.ts";

test.each(["127.0.0.1:7233", "localhost:7233", "localhost", "127.0.0.2:1", "[::1]:7233", "LOCALHOST:80"])(
  "%s is this machine: no proxy stands before it",
  (address) => expect(connectionTo(address)).toEqual({ address, channelArgs: { "grpc.enable_http_proxy": 0 } }),
);

test.each(["temporal.example.com:7233", "10.0.0.7:7233", "localhost.example.com:7233", "[2001:db8::1]:7233"])(
  "%s is another machine: a proxy may be the only way",
  (address) => expect(connectionTo(address)).toEqual({ address }),
);
