// What the server has put into the page itself, so that nothing has to be asked for first.

import type { Settings, Start } from "../api/answers";

export type Begun = { start: Start; settings: Settings };

/** Takes it off the page; null where the server did not know yet, or was not told the token. */
export function takeBegun(): Begun | null {
  const data = document.getElementById("start");
  data?.remove();
  try {
    return data ? (JSON.parse(data.textContent ?? "") as Begun) : null;
  } catch {
    return null; // then it is asked for
  }
}
