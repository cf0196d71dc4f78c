// The only place that talks to the server: JSON and tiles, with the token of this page's own address.

export class ApiError extends Error {
  readonly status: number; // 0: nobody answered

  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

let base = "";
let token = "";
const listeners = new Set<(error: ApiError | null) => void>();

/** Where the server is, and what opens it.  The worker is told the same. */
export function apiOpen(to: { base: string; token: string }): void {
  base = to.base;
  token = to.token;
}

/** Is called after each request: with null when the server answered, with the error when nobody did or the token is wrong. */
export function apiListen(listener: (error: ApiError | null) => void): void {
  listeners.add(listener);
}

function tell(error: ApiError | null): void {
  for (const listener of listeners) listener(error);
}

export function query(values: Record<string, string | number | boolean | undefined | null>): string {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null || value === "") continue;
    pairs.push(`${name}=${encodeURIComponent(String(value))}`);
  }
  return pairs.length ? `?${pairs.join("&")}` : "";
}

async function sentence(reply: Response): Promise<string> {
  try {
    const said: unknown = await reply.json();
    if (said && typeof said === "object" && "error" in said) return String((said as { error: unknown }).error);
  } catch {
    // Not JSON: the status has to say it.
  }
  return `The server answered ${reply.status} ${reply.statusText}`.trim() + ".";
}

async function ask(path: string, init: RequestInit, sent?: Promise<Response>): Promise<Response> {
  let reply: Response;
  try {
    reply = await (sent ??
      fetch(base + path, {
        ...init,
        credentials: "omit",
        headers: { ...init.headers, Authorization: `Bearer ${token}` },
      }));
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    const error = new ApiError(0, "The server does not answer.");
    tell(error);
    throw error;
  }
  if (!reply.ok) {
    const error = new ApiError(reply.status, await sentence(reply));
    tell(reply.status === 401 || reply.status === 403 ? error : null);
    throw error;
  }
  tell(null);
  return reply;
}

/** GETs JSON, or takes what was asked for already.  The answer's type is the caller's word; hostile values are the drawing's business. */
export async function getJson<T>(path: string, signal?: AbortSignal, sent?: Promise<Response>): Promise<T> {
  const reply = await ask(path, { signal }, sent);
  try {
    return (await reply.json()) as T;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(reply.status, "The server's answer is not JSON.");
  }
}

export async function getBytes(path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await ask(path, { signal })).arrayBuffer();
}

export async function putJson(path: string, value: unknown): Promise<void> {
  await ask(path, { method: "PUT", body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });
}

export function isAbort(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === "AbortError";
}

export function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
