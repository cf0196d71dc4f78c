// A program recorded by this build's ctrace, and `ctrace view` on it.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BUILD = process.env.CTRACE_BUILD ?? "";
export const hasBuild = BUILD !== "" && existsSync(join(BUILD, "ctrace"));

export type Viewing = { url: string; folder: string; child: ChildProcess; close: () => Promise<void> };

/** Runs `ctrace view` and answers with the address that it prints. */
export function view(folder: string, file: string, more: Record<string, string> = {}): Promise<Viewing> {
  const env = { ...process.env, ...more, XDG_CONFIG_HOME: join(folder, "config"), XDG_CACHE_HOME: join(folder, "cache") };
  const child = spawn(join(BUILD, "ctrace"), ["view", "--no-browser", "--listen", "127.0.0.1:0", join(folder, file)], { env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return new Promise((resolve, reject) => {
    let said = "";
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      const url = /http:\/\/127\.0\.0\.1:\d+\/\?token=\S+/.exec(said);
      if (!url) return;
      const close = async () => {
        child.kill("SIGTERM");
        await ended;
      };
      resolve({ url: url[0], folder, child, close });
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    void ended.then(() => reject(new Error(`ctrace view ended: ${said}`)));
  });
}

/** A folder with NAME.trace of examples/NAME in it. */
export function record(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), "ctrace-page-"));
  execFileSync(join(BUILD, "ctrace"), ["record", "-o", join(folder, `${name}.trace`), "--", join(BUILD, "examples", name)], { stdio: "ignore", timeout: 60000 });
  return folder;
}

export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
