// The server's HTTP API: one function for all requests, the token, and server-sent events.

import { signal } from "./ui.js";

const KEPT = "vidence.token";

/** True while the server wants a token that it was not given. */
export const signedOut = signal(false);

/** True while the server does not answer. */
export const unreachable = signal(false);

/** What the server refused, in its own words. */
export class ApiError extends Error {
  constructor(status, message, retryAfter = null) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Return headers that carry the token, where there is one. */
export function authorization() {
  const token = sessionStorage.getItem(KEPT);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** Send a request and return its response; throws ApiError where it is refused. */
export async function request(path, { method = "GET", json, headers = {}, signal: stop } = {}) {
  const init = { method, headers: { ...authorization(), ...headers }, signal: stop };
  if (json !== undefined) {
    init.body = JSON.stringify(json);
    init.headers["Content-Type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error.name !== "AbortError") unreachable.value = true;
    throw error;
  }
  unreachable.value = false;
  if (response.ok) return response;
  if (response.status === 401) signedOut.value = true;
  throw new ApiError(response.status, await reason(response), response.headers.get("Retry-After"));
}

/** Send a request and return the JSON of its response, or null where it has none. */
export async function api(path, options) {
  const response = await request(path, options);
  return response.status === 204 ? null : response.json();
}

/** Read the reason of a refused request: {"error": {"message"}}, else the status. */
async function reason(response) {
  const body = await response.json().catch(() => null);
  const message = body?.error?.message ?? body?.detail;
  return typeof message === "string" ? message : `${response.status} ${response.statusText}`;
}

/** Try a token: the server sets a cookie for pictures and videos, which cannot carry a header. */
export async function signIn(token) {
  await request("api/session", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
  sessionStorage.setItem(KEPT, token);
  signedOut.value = false;
}

/** Have the cookie for the token at hand given anew; a server without tokens needs none. */
export async function renewSession() {
  if (sessionStorage.getItem(KEPT)) await request("api/session", { method: "POST" });
}

/** Say whether a token is at hand; without one the cookie of another tab lets one read, but not write. */
export const hasToken = () => sessionStorage.getItem(KEPT) !== null;

/** Forget the token and the cookie. */
export async function signOut() {
  await request("api/session", { method: "DELETE" }).catch(() => null);
  sessionStorage.removeItem(KEPT);
  signedOut.value = true;
}

/** Yield [event, data] of a response whose body is a stream of server-sent events. */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value.replaceAll("\r\n", "\n")).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = readEvent(block);
      if (event) yield event;
    }
  }
}

function readEvent(block) {
  let name = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).trim());
  }
  return data.length ? [name, JSON.parse(data.join("\n"))] : null;
}

/** Return the address of something of a medium: "preview", "frame?at=3", "thumbnails.vtt"... */
export function mediumUrl(id, what = "") {
  return `api/media/${encodeURIComponent(id)}${what && `/${what}`}`;
}

/** Return the address of the picture at a moment, `height` pixels tall. */
export function frameUrl(id, at, height = 180) {
  return mediumUrl(id, `frame?at=${at.toFixed(3)}&height=${height}`);
}
