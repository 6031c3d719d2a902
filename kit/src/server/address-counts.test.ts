import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAddressCounts } from "./address-counts.ts";
import { isLoopbackAddress, networkOf } from "./client-network.ts";

describe("networkOf", () => {
  it.each([
    ["10.0.0.1", "10.0.0.1"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002::1", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1:2:3:4:5:6:7", "0:1:2:3::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ])("of %s is %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it("is the same for all addresses of one /64, in any notation", () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
    const four = fc.tuple(group, group, group, group);
    fc.assert(
      fc.property(four, four, four, (net, host, other) => {
        const [first, second] = [host, other].map((each) => networkOf([...net, ...each].join(":")));
        expect(first).toBe(second);
        expect(networkOf(`${net.join(":")}::`)).toBe(first);
      }),
    );
  });
});

describe("createAddressCounts", () => {
  it("admits up to the limit of connections of each address", () => {
    const counts = createAddressCounts({ addressConnectionsMax: 2, loopbackConnectionsMax: 3 });
    const leave = counts.enter("10.0.0.1");
    expect(counts.enter("::ffff:10.0.0.1")).toBeDefined();
    expect(counts.enter("10.0.0.1")).toBeUndefined();
    expect(counts.enter("10.0.0.2")).toBeDefined();
    leave!();
    expect(counts.enter("10.0.0.1")).toBeDefined();
    expect(counts.enter("10.0.0.1")).toBeUndefined();
  });

  it("counts this machine's own clients together, with a separate limit", () => {
    const counts = createAddressCounts({ addressConnectionsMax: 1, loopbackConnectionsMax: 3 });
    for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.2"]) {
      expect(isLoopbackAddress(address)).toBe(true);
      expect(counts.enter(address)).toBeDefined();
    }
    expect(counts.enter("127.0.0.1")).toBeUndefined();
  });
});
