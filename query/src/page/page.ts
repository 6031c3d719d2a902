import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { callsOf, type PageCalls, type PageRequest } from "./page-calls.ts";

/** What the page tells. */
export type PageFacts = {
  /** host:port of ingest. */
  readonly ingest: string;
  /** host:port of query. */
  readonly query: string;
  /** host:port of the generator's control. */
  readonly generator: string;
  /** Where the data are, such as the data folder. */
  readonly data: string;
  /** What kind of place that is, in a few words. */
  readonly dataKind: string;
  /** True where query and ingest serve TLS themselves. */
  readonly secure?: boolean | undefined;
};

/** Answers what no service answers: the page at `/`, and 404 for the rest. */
export type PageHandler = (
  request: PageRequest & { readonly method?: string | undefined; readonly url?: string | undefined },
  response: Pick<ServerResponse, "writeHead" | "end">,
) => void;

/** Makes the page; the facts are asked for each time, for ports are known only once they are bound. */
export function createPage(facts: () => PageFacts): PageHandler {
  const template = readFileSync(new URL("page.html", import.meta.url), "utf8");
  const policy = policyFor(template);

  function respond(response: Parameters<PageHandler>[1], status: number, type: string, body: string): void {
    response.writeHead(status, {
      "content-type": type,
      "content-length": Buffer.byteLength(body),
      "cache-control": "no-cache",
      "content-security-policy": policy,
      "x-content-type-options": "nosniff",
    });
    response.end(body);
  }
  return (request, response) => {
    const path = (request.url ?? "/").split("?")[0];
    if (path !== "/" && path !== "/index.html") {
      respond(response, 404, "text/plain; charset=utf-8", `nothing is at ${path}; the page is at /\n`);
    } else if (request.method !== "GET" && request.method !== "HEAD") {
      respond(response, 405, "text/plain; charset=utf-8", "the page can only be read: use GET\n");
    } else {
      respond(
        response,
        200,
        "text/html; charset=utf-8",
        render(template, { ...facts(), ...callsOf(facts(), request) }),
      );
    }
  };
}

/** Only the page's own script runs, and it asks only the server that the page is from. */
function policyFor(template: string): string {
  const script = /<script>([\s\S]*?)<\/script>/.exec(template)?.[1] ?? "";
  const hash = createHash("sha256").update(script).digest("base64");
  return `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; connect-src 'self'; img-src data:`;
}

/** Fills the template's {{names}} with the facts. */
export function render(template: string, facts: PageFacts & PageCalls): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) =>
    escaped(String(facts[name as keyof typeof facts])),
  );
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
