// The table of pages: one is a file and a line here.

import type { ComponentType } from "preact";
import { FlamePage } from "../pages/flame";
import { OverviewPage } from "../pages/overview";
import { ThreadsPage } from "../pages/threads";
import { TimelinePage } from "../pages/timeline";
import { TopPage } from "../pages/top";

export type Page = { name: string; title: string; of: "trace" | "profile" | "both"; body: ComponentType };

export const PAGES: Page[] = [
  { name: "timeline", title: "Timeline", of: "trace", body: TimelinePage },
  { name: "overview", title: "Overview", of: "trace", body: OverviewPage },
  { name: "threads", title: "Threads", of: "trace", body: ThreadsPage },
  { name: "flame", title: "Flame graph", of: "both", body: FlamePage },
  { name: "top", title: "Top", of: "both", body: TopPage },
];
