// How colours look to who has all three kinds of cones or only two (Machado 2009), and how far apart they are (CIEDE2000).

import type { Rgb } from "../../src/timeline/colours";

export const SIGHTS = ["full", "protan", "deutan", "tritan"] as const;
export type Sight = (typeof SIGHTS)[number];

const MATRICES: Record<Exclude<Sight, "full">, number[]> = {
  protan: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deutan: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritan: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};

const linear = (value: number) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);

/** Linear RGB as that sight has it. */
export function seenBy(sight: Sight, colour: Rgb): number[] {
  const [r, g, b] = colour.map(linear);
  if (sight === "full") return [r, g, b];
  const m = MATRICES[sight];
  return [0, 3, 6].map((row) => Math.min(1, Math.max(0, m[row] * r + m[row + 1] * g + m[row + 2] * b)));
}

function lab([r, g, b]: number[]): number[] {
  const xyz = [(0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047, 0.2126 * r + 0.7152 * g + 0.0722 * b, (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883];
  const [x, y, z] = xyz.map((value) => (value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const degrees = (angle: number) => ((angle * 180) / Math.PI + 360) % 360;
const cos = (angle: number) => Math.cos((angle * Math.PI) / 180);

export function ciede2000(one: number[], two: number[]): number {
  const [l1, a1, b1] = lab(one);
  const [l2, a2, b2] = lab(two);
  const mean = (Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2;
  const g = 0.5 * (1 - Math.sqrt(mean ** 7 / (mean ** 7 + 25 ** 7)));
  const [p1, p2] = [a1 * (1 + g), a2 * (1 + g)];
  const [c1, c2] = [Math.hypot(p1, b1), Math.hypot(p2, b2)];
  const [h1, h2] = [degrees(Math.atan2(b1, p1)), degrees(Math.atan2(b2, p2))];
  let dh = h2 - h1;
  if (c1 * c2 === 0) dh = 0;
  else if (dh > 180) dh -= 360;
  else if (dh < -180) dh += 360;
  const dH = 2 * Math.sqrt(c1 * c2) * Math.sin((dh * Math.PI) / 360);
  const L = (l1 + l2) / 2;
  const C = (c1 + c2) / 2;
  const H = c1 * c2 === 0 ? h1 + h2 : Math.abs(h1 - h2) <= 180 ? (h1 + h2) / 2 : (h1 + h2 + (h1 + h2 < 360 ? 360 : -360)) / 2;
  const t = 1 - 0.17 * cos(H - 30) + 0.24 * cos(2 * H) + 0.32 * cos(3 * H + 6) - 0.2 * cos(4 * H - 63);
  const sl = 1 + (0.015 * (L - 50) ** 2) / Math.sqrt(20 + (L - 50) ** 2);
  const sc = 1 + 0.045 * C;
  const sh = 1 + 0.015 * C * t;
  const turn = -2 * Math.sqrt(C ** 7 / (C ** 7 + 25 ** 7)) * Math.sin((60 * Math.exp(-(((H - 275) / 25) ** 2)) * Math.PI) / 180);
  return Math.sqrt(((l2 - l1) / sl) ** 2 + ((c2 - c1) / sc) ** 2 + (dH / sh) ** 2 + turn * ((c2 - c1) / sc) * (dH / sh));
}
