// How the client reaches a Temporal server.
import { isThisMachine } from "../http/choose-proxy.ts";

/**
 * Options of `Connection.connect` for an address `host:port`. The client's gRPC obeys http_proxy, https_proxy and grpc_proxy for every
 * address that no_proxy does not name, this machine's included, where no proxy can reach; elsewhere a proxy may be the only way.
 */
export function connectionTo(address: string): { address: string; channelArgs?: { "grpc.enable_http_proxy": 0 } } {
  const host = address.replace(/:\d+$/, "");
  return isThisMachine(host) ? { address, channelArgs: { "grpc.enable_http_proxy": 0 } } : { address };
}
