// The colour, the pattern and the height of each class, light and dark.  Okabe-Ito hues; never colour alone.

import type { LaneKind, RowKind } from "../api/answers";

export type Theme = "light" | "dark";
export type Rgb = [number, number, number];
export type Pattern = "" | "rising" | "falling" | "dots" | "bars" | "cross";
/** Which thirds of a state row a class fills, top to bottom: what runs is tall, what sleeps is flat. */
export type Thirds = 1 | 3 | 7;

type Paint = { light: string; dark: string; pattern: Pattern; thirds: Thirds };

const paint = (light: string, dark: string, pattern: Pattern = "", thirds: Thirds = 7): Paint => ({ light, dark, pattern, thirds });

// By class number, as docs/view-api.md counts them.
const PAINTS: Paint[] = [
  paint("#d8d3c4", "#57534a", "", 1), // 0 unknown
  paint("#009e73", "#009e73"), // 1 running
  paint("#f0e442", "#e3d73a", "", 3), // 2 runnable
  paint("#d55e00", "#dd6a10", "rising"), // 3 waiting for a lock
  paint("#e69f00", "#e69f00", "falling"), // 4 waiting for a condition, semaphore, barrier
  paint("#cc79a7", "#cc79a7", "dots"), // 5 join
  paint("#cfd5db", "#454c54", "", 1), // 6 sleeping
  paint("#b9cfdd", "#3d5363", "", 1), // 7 polling
  paint("#56b4e9", "#56b4e9"), // 8 I/O call
  paint("#0072b2", "#0072b2"), // 9 file call
  paint("#a98fd0", "#a98fd0"), // 10 process
  paint("#cc79a7", "#cc79a7", "bars"), // 11 allocator pause
  paint("#8d98a5", "#8d98a5", "bars"), // 12 tracer pause
  paint("#d55e00", "#dd6a10", "bars"), // 13 collector pause
  paint("#7fb0a0", "#7fb0a0"), // 14 user region: by its name
  paint("#7fb0a0", "#7fb0a0"), // 15 task: by its name
  paint("#30363d", "#d7dce1"), // 16 wake or create point
  paint("#7a8590", "#8d98a5"), // 17 CPU sample
  paint("#a0672d", "#c58a4c"), // 18 allocation sample
  paint("#0072b2", "#56b4e9"), // 19 log, mark
  paint("#a8505a", "#c9727c", "cross"), // 20 lost events
  paint("#9aa4ae", "#79838d"), // 21 other
  paint("#b5bcc4", "#69727c", "rising", 3), // 22 perhaps still running there
];
const BY_NAME = new Set([14, 15]);
const OTHER = 21;
const MAYBE = 22;
export const CLASSES = PAINTS.length;

function paintOf(cls: number): Paint {
  return PAINTS[cls] ?? PAINTS[OTHER];
}

export function hexRgb(hex: string): Rgb {
  const value = parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

export function rgbCss(rgb: Rgb): string {
  return `rgb(${rgb[0]} ${rgb[1]} ${rgb[2]})`;
}

/** OKLCH to sRGB, clipped to what a screen has. */
export function oklch(lightness: number, chroma: number, hue: number): Rgb {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return linear.map((value) => {
    const clipped = Math.min(1, Math.max(0, value));
    const encoded = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
    return Math.round(encoded * 255);
  }) as Rgb;
}

const named = new Map<number, Rgb>();

/** The colour of a name: hues a golden angle apart, all light enough for black text. */
export function nameColour(seed: number): Rgb {
  let rgb = named.get(seed);
  if (!rgb) {
    rgb = oklch(0.76 + ((seed * 7) % 5) * 0.02, 0.09, (40 + seed * 137.508) % 360);
    if (named.size > 20000) named.clear();
    named.set(seed, rgb);
  }
  return rgb;
}

/** A number that is the same for the same text with its digits left out: "worker-7" looks like "worker-12". */
export function textSeed(text: string): number {
  let hash = 2166136261;
  for (const letter of text.replace(/\d+/g, "")) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16777619) >>> 0;
  return hash % 9973;
}

const plain: Record<Theme, Rgb[]> = {
  light: PAINTS.map((each) => hexRgb(each.light)),
  dark: PAINTS.map((each) => hexRgb(each.dark)),
};

export function colourOf(cls: number, name: number, theme: Theme): Rgb {
  if (BY_NAME.has(cls)) return nameColour(name);
  return plain[theme][cls] ?? plain[theme][OTHER];
}

/** How a row is painted: a thread's states, slices, or a CPU's threads. */
export type Look = "state" | "slices" | "cpu";

/** What ran on a CPU is told apart by who it was: that it ran is no news.  A guess comes right behind the same thread's name. */
export function lookColour(look: Look, cls: number, name: number, theme: Theme): Rgb {
  if (look !== "cpu") return colourOf(cls, name, theme);
  if (cls === MAYBE) return nameColour(Math.max(0, name - 1));
  return cls === 1 || cls === OTHER ? nameColour(name) : colourOf(cls, name, theme);
}

/** Whether it is a name that tells the colour. */
export function isNamed(look: Look, cls: number): boolean {
  return BY_NAME.has(cls) || (look === "cpu" && (cls === 1 || cls === OTHER || cls === MAYBE));
}

/** Whether a class is only guessed: it is drawn pale, hatched and lower. */
export function isGuess(cls: number): boolean {
  return cls === MAYBE;
}

export function lookOf(lane: LaneKind, row: RowKind): Look {
  return row === "state" ? "state" : lane === "cpu" ? "cpu" : "slices";
}

export function patternOf(cls: number): Pattern {
  return paintOf(cls).pattern;
}

export function thirdsOf(cls: number): Thirds {
  return paintOf(cls).thirds;
}

/** WCAG's relative luminance. */
export function luminance([r, g, b]: Rgb): number {
  const [lr, lg, lb] = [r, g, b].map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * lr + 0.7152 * lg + 0.0722 * lb;
}

export function contrast(a: Rgb, b: Rgb): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const BLACK: Rgb = [0, 0, 0];
const WHITE: Rgb = [255, 255, 255];

/** Black or white, whichever reads better on `rgb`. */
export function inkOn(rgb: Rgb): Rgb {
  return contrast(rgb, BLACK) >= contrast(rgb, WHITE) ? BLACK : WHITE;
}
