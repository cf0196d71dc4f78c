// Light or dark: the person's choice, else the system's.

import { computed, effect, signal } from "@preact/signals-core";
import type { Theme } from "../timeline/colours";
import { themeChoice } from "./store";

const system = signal(false);
export const theme = computed<Theme>(() => {
  if (themeChoice.value !== "system") return themeChoice.value;
  return system.value ? "dark" : "light";
});

export function watchTheme(): void {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  system.value = dark.matches;
  dark.addEventListener("change", () => {
    system.value = dark.matches;
  });
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
}
