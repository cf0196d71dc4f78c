// A program recorded by this build's ctrace, and `ctrace view` on it.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BUILD = process.env.CTRACE_BUILD ?? "";
const hasCommand = BUILD !== "" && existsSync(join(BUILD, "ctrace"));
const page = join(BUILD, "page_assets.bin"); // what is embedded: empty without a page
export const hasBuild = hasCommand && existsSync(page) && statSync(page).size > 0;
if (hasCommand && !hasBuild) console.warn(`Left out, since the ctrace in ${BUILD} has no page: meson configure -Dweb=auto there, and build again.`);

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

export type Recording = { folder: string; say: (line: string) => void; end: () => Promise<number | null> };

const LOOP = 'while read x; do if [ "$x" = child ]; then /bin/true; fi; done';
const FEED_MS = 10;

/** A folder with live.trace in it, of a shell that reads lines and makes a child of each "child", until it is ended. */
export async function recordOn(): Promise<Recording> {
  const folder = mkdtempSync(join(tmpdir(), "ctrace-page-"));
  const trace = join(folder, "live.trace");
  const child = spawn(join(BUILD, "ctrace"), ["record", "-o", trace, "--", "sh", "-c", LOOP], { stdio: ["pipe", "ignore", "ignore"] });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  child.stdin.on("error", () => undefined); // it ended first: its status says how
  const say = (line: string) => void child.stdin.write(line);
  const feeding = setInterval(() => say("on\n".repeat(5)), FEED_MS);
  const end = () => {
    clearInterval(feeding);
    child.stdin.end();
    return ended;
  };
  for (let tries = 0; tries < 500 && !existsSync(trace); tries++) await new Promise((resolve) => setTimeout(resolve, FEED_MS));
  if (!existsSync(trace)) throw new Error(`no trace is written; ctrace record ended with ${await end()}`);
  return { folder, say, end };
}

/** A folder with NAME.trace of examples/NAME in it, or of another program. */
export function record(name: string, program = [join(BUILD, "examples", name)]): string {
  const folder = mkdtempSync(join(tmpdir(), "ctrace-page-"));
  execFileSync(join(BUILD, "ctrace"), ["record", "-o", join(folder, `${name}.trace`), "--", ...program], { stdio: "ignore", timeout: 60000 });
  return folder;
}

export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
