import { describe, expect, it } from "vitest";
import { meshDefinition } from "../../testing/prepare-mesh.ts";
import { connectorDefinitions, sinkConnectionUri } from "./connector-definitions.ts";
import { renderConnector } from "./connector-template.ts";

const template = (settings: unknown) => ({ name: "sink.json", text: JSON.stringify(settings) });

const variable = (name: string): string => `$\{${name}}`;

describe("a connector's template", () => {
  it("gets its variables, anywhere in a text", () => {
    expect(
      renderConnector(template({ a: `${variable("x")}-${variable("y")}`, b: "$x", c: "plain" }), {
        x: "1",
        y: 2,
      }),
    ).toEqual({
      a: "1-2",
      b: "$x",
      c: "plain",
    });
  });

  it("is rejected if it names a variable that is not given", () => {
    expect(() => renderConnector(template({ a: variable("x") }), {})).toThrow(
      /sink.json: \$\{x\} of a is not known/,
    );
  });

  it("is rejected if it does not use a variable that is given", () => {
    expect(() => renderConnector(template({ a: "b" }), { x: "1" })).toThrow("sink.json: nothing uses x");
  });

  it("is rejected if a value is not a text", () => {
    for (const wrong of [{ a: 1 }, ["a"], null, "a"]) {
      expect(() => renderConnector(template(wrong), {})).toThrow("sink.json: it must be an object of texts");
    }
  });
});

describe("the sinks of a mesh", () => {
  const mesh = meshDefinition({
    kafkaBrokers: [],
    connectUrl: "",
    mongodbUrl: "mongodb://user:secret@db:27017/?replicaSet=rs",
    prefix: "test.",
    database: "mesh",
    partitions: 1,
  });

  it("are two, each with its own topic, collection and dead letters", () => {
    const [messages, windows] = connectorDefinitions(mesh);
    expect(messages).toMatchObject({
      name: "test.processed-messages-to-mongodb",
      config: {
        name: "test.processed-messages-to-mongodb",
        topics: "test.processed_messages",
        collection: "processed_messages",
        "errors.deadletterqueue.topic.name": "test.processed_messages.dead_letters",
        "tasks.max": "1",
      },
    });
    expect(windows).toMatchObject({
      topic: "test.aggregated_messages",
      config: {
        collection: "aggregated_messages",
        "errors.deadletterqueue.topic.name": "test.aggregated_messages.dead_letters",
      },
    });
  });

  it("wait for a majority to write to disk, whatever the connection string requests", () => {
    expect(sinkConnectionUri("mongodb://db:1")).toBe("mongodb://db:1/?w=majority&journal=true");
    expect(sinkConnectionUri("mongodb+srv://db/admin?w=1&replicaSet=rs")).toBe(
      "mongodb+srv://db/admin?replicaSet=rs&w=majority&journal=true",
    );
  });

  it("do not change the write concern if the connection string is a file of the workers", () => {
    const whole = `$\{directory:/run/secrets:mongodb_url}`;
    expect(sinkConnectionUri(whole)).toBe(whole);
    const [messages] = connectorDefinitions({ ...mesh, sinkMongodbUrl: whole });
    expect(messages!.config["connection.uri"]).toBe(whole);
    const password = `$\{directory:/run/secrets:password}`;
    expect(sinkConnectionUri(`mongodb://app:${password}@db-1,db-2`)).toBe(
      `mongodb://app:${password}@db-1,db-2/?w=majority&journal=true`,
    );
  });
});
