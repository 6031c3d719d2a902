import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";

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
};

/** Answers what no service answers: the page at `/`, and 404 for the rest. */
export type PageHandler = (
  request: { readonly method?: string | undefined; readonly url?: string | undefined },
  response: Pick<ServerResponse, "writeHead" | "end">,
) => void;

/** Makes the page; the facts are asked for each time, for ports are known only once they are bound. */
export function createPage(facts: () => PageFacts): PageHandler {
  const template = readFileSync(new URL("page.html", import.meta.url), "utf8");
  return (request, response) => {
    const path = (request.url ?? "/").split("?")[0];
    if (path !== "/" && path !== "/index.html") {
      respond(response, 404, "text/plain; charset=utf-8", `nothing is at ${path}; the page is at /\n`);
    } else if (request.method !== "GET" && request.method !== "HEAD") {
      respond(response, 405, "text/plain; charset=utf-8", "the page can only be read: use GET\n");
    } else {
      respond(response, 200, "text/html; charset=utf-8", render(template, facts()));
    }
  };
}

function respond(response: Parameters<PageHandler>[1], status: number, type: string, body: string): void {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-cache",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
  });
  response.end(body);
}

/** Fills the template's {{names}} with the facts. */
export function render(template: string, facts: PageFacts): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => escaped(facts[name as keyof PageFacts]));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
