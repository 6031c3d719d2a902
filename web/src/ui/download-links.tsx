import { callHeaders, token } from "../mesh/clients.ts";
import { strings } from "../strings.ts";

/** The forms in which the server exports. */
const formats = ["csv", "parquet", "arrow", "ndjson"] as const;

/** Links to an export of the server, one for each form; with a token, the file is fetched with it. */
export function DownloadLinks({
  label,
  path,
  parameters,
}: {
  readonly label: string;
  readonly path: "/v1/readings" | "/v1/buckets";
  readonly parameters: Readonly<Record<string, string>>;
}) {
  return (
    <p class="downloads">
      {label}{" "}
      {formats.map((format) => {
        const href = `${path}?${new URLSearchParams({ ...parameters, format })}`;
        const name = `${path.slice("/v1/".length)}.${format}`;
        return (
          <a
            key={format}
            href={href}
            download={name}
            onClick={(event) => {
              if (token.peek() === "") return;
              event.preventDefault();
              void fetchFile(href, name);
            }}
          >
            {format.toUpperCase()}
          </a>
        );
      })}
    </p>
  );
}

async function fetchFile(href: string, name: string): Promise<void> {
  const response = await fetch(href, { headers: callHeaders() });
  if (response.ok) saveFile(await response.blob(), name);
  else throw new Error(`${strings.commands.download}: HTTP ${response.status}`);
}

/** Gives a file to the user. */
export function saveFile(file: Blob, name: string): void {
  const href = URL.createObjectURL(file);
  Object.assign(document.createElement("a"), { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href));
}
