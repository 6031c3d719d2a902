/**
 * For tests: returns the text between `<!-- name -->` and `<!-- /name -->`; of `test: x` the end is `<!-- /test -->`.
 */
export function section(text: string, name: string): string {
  const found = new RegExp(`<!-- ${name} -->\\n([\\s\\S]*?)<!-- /${name.split(":")[0]} -->`).exec(text)?.[1];
  if (found === undefined) throw new Error(`there is no section ${name}`);
  return found;
}

/** For tests: returns the code blocks of a language in a text. */
export function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(
    ([, code]) => code ?? "",
  );
}

/** A command of a page, and the output that the page shows. */
export type ShownCommand = {
  /** The name after `test:`. */
  readonly name: string;
  readonly command: string;
  /** The expected output; `…` matches anything. */
  readonly shown: string;
};

/** For tests: returns the sections `<!-- test: … -->` of a page: a block of `sh`, then one of `text` or `json`. */
export function shownCommands(text: string): ShownCommand[] {
  return [...text.matchAll(/<!-- test: (.*) -->\n([\s\S]*?)<!-- \/test -->/g)].map(
    ([, name = "", body = ""]) => {
      const [command] = blocks(body, "sh");
      const [shown] = blocks(body, "(?:text|json)");
      if (command === undefined || shown === undefined) {
        throw new Error(`the section "test: ${name}" lacks a command or what it prints`);
      }
      return { name, command: command.trim(), shown: shown.trim() };
    },
  );
}

/** For tests: matches the expected text at the start of an output, with `…` for anything. */
export function patternOf(shown: string): RegExp {
  const parts = shown.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[\\s\\S]*?")}`);
}
