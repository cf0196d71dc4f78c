// A small patch of a class's colour with its pattern.

import { theme } from "../frame/theme";
import { colourOf, patternOf, rgbCss, thirdsOf } from "./colours";

export function Swatch({ cls, name = 0 }: { cls: number; name?: number }) {
  const flat = thirdsOf(cls) === 1 ? "flat" : "";
  return <span class={`swatch ${patternOf(cls)} ${flat}`} aria-hidden="true" style={{ backgroundColor: rgbCss(colourOf(cls, name, theme.value)) }} />;
}
