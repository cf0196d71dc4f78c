// The button that turns the page light, dark, or as the system has it.

import { keepSettings, say } from "./actions";
import { themeChoice } from "./store";

const NEXT = { system: "light", light: "dark", dark: "system" } as const;
const SIGN = { system: "◐", light: "☀", dark: "☾" } as const;

export function ThemeButton() {
  const now = themeChoice.value;
  return (
    <button
      type="button"
      class="icon"
      aria-label={`Colours: ${now}`}
      title={`Colours: ${now === "system" ? "as the system has them" : now}`}
      onClick={() => {
        themeChoice.value = NEXT[now];
        say(`Colours: ${themeChoice.value}`);
        keepSettings();
      }}
    >
      {SIGN[now]}
    </button>
  );
}
