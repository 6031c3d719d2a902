import { describe, expect, it } from "vitest";
import { createLogger } from "./logger.ts";
import { withoutCredentials } from "./redact-credentials.ts";

describe("withoutCredentials", () => {
  it.each([
    ["mongodb://user:s3cret@db:27017/", "mongodb://user:…@db:27017/"],
    ["mongodb+srv://user:s3cret@db/a?b=c", "mongodb+srv://user:…@db/a?b=c"],
    ["mongodb://:s3cret@db/", "mongodb://:…@db/"],
    ["mongodb://user:s3/c@re:t@db-1:1,db-2:2/", "mongodb://user:…@db-1:1,db-2:2/"],
    ['{"a":"http://u:s3cret@h/","b":"x@y"}', '{"a":"http://u:…@h/","b":"x@y"}'],
    ["from HTTP://u:s3cret@a to http://v:s3cret@b", "from HTTP://u:…@a to http://v:…@b"],
  ])("removes the password from %j", (text, shown) => {
    expect(withoutCredentials(text)).toBe(shown);
    expect(withoutCredentials(shown)).toBe(shown);
  });

  it.each(["mongodb://db-1:27017,db-2:27017/?w=majority", "user@host", "spiffe://mesh/device/a:b", ""])(
    "leaves %j as it is",
    (text) => {
      expect(withoutCredentials(text)).toBe(text);
    },
  );
});

describe("a log line", () => {
  it("contains no password of a URL, wherever it was", () => {
    const lines: string[] = [];
    const logger = createLogger({
      name: "a",
      level: "info",
      destination: { write: (line) => lines.push(line) },
    });
    const url = "mongodb://user:s3cret@db:27017/";
    const error = new Error(`cannot use ${url}`, {
      cause: Object.assign(new TypeError(url), { input: url }),
    });
    logger.info({ url, deep: { urls: [url] }, error }, `at ${url}`);
    logger.child({ url }).info("again");
    expect(lines.join("")).not.toContain("s3cret");
    expect(JSON.parse(lines[0]!)).toMatchObject({
      url: "mongodb://user:…@db:27017/",
      deep: { urls: ["mongodb://user:…@db:27017/"] },
      msg: "at mongodb://user:…@db:27017/",
    });
    expect(JSON.parse(lines[1]!)).toMatchObject({ url: "mongodb://user:…@db:27017/" });
  });
});
