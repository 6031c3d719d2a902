import type { IdentifySender } from "@devicemesh/identity";
import { peerOfRequest } from "@devicemesh/kit/rpc/connect-handler";
import type { OnePortRequest } from "@devicemesh/kit/server/one-port-server";
import type { Sender } from "./deliver/submit-checked.ts";
import type { IdentifyClient } from "./mqtt/session-broker.ts";

/**
 * Returns the sender of an HTTP request. Clients of InfluxDB send the token as `Token …` or as the password of Basic
 * authentication; both are treated as a bearer token.
 */
export function senderOfRequests(identify: IdentifySender): (request: OnePortRequest) => Promise<Sender> {
  return async (request) => {
    const headers = {
      get(name: string): string | null {
        const value = request.headers[name];
        const text = typeof value === "string" ? value : (value?.join(", ") ?? null);
        return name === "authorization" && text !== null ? asBearer(text) : text;
      },
    };
    const { publisher } = await identify({ peer: peerOfRequest(request), headers });
    return publisher;
  };
}

/** Returns the identity of an MQTT client: its password is a token, or its connection has a certificate. */
export function clientsOfMqtt(identify: IdentifySender): IdentifyClient {
  return ({ peer, token }) =>
    identify({
      peer,
      headers: {
        get: (name) => (name === "authorization" && token !== undefined ? `Bearer ${token}` : null),
      },
    });
}

function asBearer(authorization: string): string {
  const [, scheme = "", value = ""] = /^(\S+)\s+(\S+)$/.exec(authorization.trim()) ?? [];
  if (/^token$/i.test(scheme)) return `Bearer ${value}`;
  if (!/^basic$/i.test(scheme)) return authorization;
  const [, password] = /^[^:]*:(.*)$/s.exec(Buffer.from(value, "base64").toString("utf8")) ?? [];
  return password === undefined ? authorization : `Bearer ${password}`;
}
