import { effect, signal } from "@preact/signals";

/** The colour scheme: that of the system, or a chosen one. */
export type Theme = "system" | "light" | "dark";

const key = "devicemesh-theme";

function stored(): Theme {
  try {
    const theme = localStorage.getItem(key);
    return theme === "light" || theme === "dark" ? theme : "system";
  } catch {
    // Storage may be blocked; the choice then lasts until the page closes.
    return "system";
  }
}

/** The user's choice, kept in this browser. */
export const theme = signal<Theme>(stored());

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Whether the page is dark now. */
export const isDark = signal(false);

/** Applies the choice to the page and follows changes of it and of the system. */
export function followTheme(): void {
  const apply = (): void => {
    document.documentElement.dataset.theme = theme.value;
    isDark.value = theme.value === "dark" || (theme.value === "system" && dark.matches);
  };
  dark.addEventListener("change", apply);
  effect(() => {
    apply();
    try {
      if (theme.value === "system") localStorage.removeItem(key);
      else localStorage.setItem(key, theme.value);
    } catch {
      // As above.
    }
  });
}
