import { createServer, type Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { connectTo, listenAnywhere } from "../../testing/socket-fixture.ts";
import { waitUntil } from "../../testing/test-helpers.ts";
import { detectHttpProtocol, type HttpProtocol, protocolOf } from "./http-protocol.ts";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

describe("protocolOf", () => {
  it("is undecided as long as the bytes begin the preface, and HTTP/2 from its first line on", () => {
    for (let length = 0; length < 16; length += 1) {
      expect(protocolOf(preface.subarray(0, length))).toBeUndefined();
    }
    for (let length = 16; length <= preface.length; length += 1) {
      expect(protocolOf(preface.subarray(0, length))).toBe("http2");
    }
  });

  it("is HTTP/1 from the first byte that differs", () => {
    fc.assert(
      fc.property(fc.nat(15), fc.nat(255), fc.uint8Array(), (position, byte, rest) => {
        fc.pre(byte !== preface[position]);
        const bytes = Buffer.concat([preface.subarray(0, position), Buffer.from([byte]), rest]);
        expect(protocolOf(bytes)).toBe("http1");
      }),
    );
  });
});

describe("detectHttpProtocol", () => {
  /** Sends these pieces, each in a separate packet, and returns the detected protocol and the unread bytes. */
  async function detect(pieces: readonly Uint8Array[], after: "keep" | "silence" | "end" | "reset" = "keep") {
    const detected: { protocol: HttpProtocol | undefined; socket: Socket }[] = [];
    const arrived: Buffer[] = [];
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on("error", () => {});
      socket.on("data", (chunk) => arrived.push(chunk));
      // Only a silent connection must reach the limit.
      void detectHttpProtocol(socket, after === "silence" ? 150 : 60_000).then((protocol) => {
        socket.removeAllListeners("data");
        detected.push({ protocol, socket });
      });
    });
    const client = await connectTo(await listenAnywhere(server));
    let sent = 0;
    for (const piece of pieces) {
      client.write(piece);
      sent += piece.length;
      await waitUntil(() => Buffer.concat(arrived).length >= sent || detected.length > 0);
    }
    if (after === "end") {
      client.end();
    } else if (after === "reset") {
      client.resetAndDestroy();
    }
    await waitUntil(() => detected.length > 0);
    const { protocol, socket } = detected[0]!;
    const left = (socket.read() as Buffer | null) ?? Buffer.alloc(0);
    const destroyed = socket.destroyed;
    client.destroy();
    socket.destroy();
    server.close();
    return { protocol, left, destroyed };
  }

  it("recognizes a preface that arrives byte by byte, and puts every byte back", async () => {
    const bytes = [...preface.subarray(0, 16)].map((byte) => Uint8Array.of(byte));
    const { protocol, left } = await detect(bytes);
    expect(protocol).toBe("http2");
    expect(left).toEqual(preface.subarray(0, 16));
  });

  it("recognizes an HTTP/1 request that begins like a preface", async () => {
    const { protocol, left } = await detect([Buffer.from("PR"), Buffer.from("OPFIND / HTTP/1.1\r\n")]);
    expect(protocol).toBe("http1");
    expect(left.toString()).toBe("PROPFIND / HTTP/1.1\r\n");
  });

  it.each([
    ["that sends nothing", [], "silence"],
    ["that sends half a preface and then nothing", [preface.subarray(0, 8)], "silence"],
    ["that ends before it is known", [preface.subarray(0, 8)], "end"],
    ["that is reset before it is known", [preface.subarray(0, 8)], "reset"],
  ] as const)("destroys a socket %s", async (_, pieces, after) => {
    const { protocol, destroyed } = await detect(pieces, after);
    expect(protocol).toBeUndefined();
    expect(destroyed).toBe(true);
  });
});
