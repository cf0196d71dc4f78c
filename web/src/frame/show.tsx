// The page around the lanes, in a file that is loaded while they are asked for.

import { render } from "preact";
import { App } from "./app";

export function showPage(root: HTMLElement): void {
  render(<App />, root);
}
