/** The type of a value: it is written as JSON, which YAML includes. */
export type TemplateValue =
  | string
  | number
  | boolean
  | readonly TemplateValue[]
  | { readonly [name: string]: TemplateValue };

/** The variables of a template. */
export type TemplateFilling = {
  /** The values of the `"${names}"`. */
  readonly values: Readonly<Record<string, TemplateValue>>;
  /** The parts of the template in `# if name`, and whether each is enabled. */
  readonly parts: Readonly<Record<string, boolean>>;
};

/**
 * Fills a YAML template: `"${name}"`, with its quotes, becomes its value, and the lines from `# if name` to its `# end`
 * stay only if that part is enabled. Comments stay as they are. Pure.
 * @throws Error naming the line, for a name that is unknown, a value that the template never uses, or an
 *   `# if` and `# end` that do not match.
 */
export function renderTemplate(template: string, { values, parts }: TemplateFilling): string {
  const lines: string[] = [];
  const open: { readonly part: string; readonly line: number }[] = [];
  const used = new Set<string>();
  const problems: string[] = [];

  template.split("\n").forEach((text, index) => {
    const line = index + 1;
    const [, part] = /^\s*# if (\w+)$/.exec(text) ?? [];
    if (part !== undefined) {
      if (!Object.hasOwn(parts, part)) problems.push(`line ${line}: no part is called ${part}`);
      open.push({ part, line });
    } else if (/^\s*# end$/.test(text)) {
      if (open.pop() === undefined) problems.push(`line ${line}: an end without its if`);
    } else {
      const kept = open.every(({ part: name }) => parts[name]);
      const rendered = isComment(text) ? text : fill(text, line, kept);
      if (kept) lines.push(rendered);
    }
  });

  /** Disabled parts are scanned too: a name that only they use is not unused. */
  function fill(text: string, line: number, kept: boolean): string {
    return text.replaceAll(/"\$\{(\w+)\}"/g, (_, name: string) => {
      used.add(name);
      if (kept && !Object.hasOwn(values, name)) problems.push(`line ${line}: no value for ${name}`);
      return JSON.stringify(values[name] ?? null);
    });
  }

  for (const { part, line } of open) problems.push(`line ${line}: if ${part} has no end`);
  for (const name of Object.keys(values)) {
    if (!used.has(name)) problems.push(`the template does not use ${name}`);
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return lines.join("\n");
}

function isComment(text: string): boolean {
  return /^\s*#/.test(text);
}
