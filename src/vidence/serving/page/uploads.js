// Files on their way to the server, in pieces that go on after a break (the tus protocol).

import { authorization } from "./server.js";
import { fail, say } from "./announce.js";
import { me, refresh } from "./library.js";
import { signal } from "./ui.js";
import { size, t } from "./words.js";

const PIECE_BYTES = 8 * 1024 * 1024;
const RETRY_MS = [0, 1000, 3000, 6000, 12_000];

/** Uploads that are not done: {key, name, total, sent, state: "sending" | "paused" | "failed", error}. */
export const uploads = signal([]);

const running = new Map(); // key → tus upload
let made = 0;

addEventListener("beforeunload", (event) => {
  if (uploads.value.some((one) => one.state === "sending")) event.preventDefault(); // the browser asks whether to leave
});

function change(key, what) {
  uploads.value = uploads.value.map((one) => (one.key === key ? { ...one, ...what } : one));
}

function drop(key) {
  running.delete(key);
  uploads.value = uploads.value.filter((one) => one.key !== key);
}

/** Send files. One too large is refused before a byte of it is sent. */
export async function upload(files) {
  await import("./vendor/tus.min.js"); // a classic bundle: it leaves its name on window
  for (const file of files) {
    const limit = me.value?.limits?.upload_bytes;
    if (limit && file.size > limit) fail(new Error(t("upload.too_large", { name: file.name, limit: size(limit) })));
    else begin(file);
  }
}

async function begin(file) {
  const key = (made += 1);
  uploads.value = [{ key, name: file.name, total: file.size, sent: 0, state: "sending", error: "" }, ...uploads.value];
  say(t("upload.begun", { name: file.name }));
  const sending = new window.tus.Upload(file, {
    endpoint: new URL("api/uploads", document.baseURI).href,
    chunkSize: PIECE_BYTES,
    retryDelays: RETRY_MS,
    removeFingerprintOnSuccess: true,
    metadata: { filename: file.name, filetype: file.type },
    headers: authorization(),
    onProgress: (sent) => change(key, { sent }),
    onError: (error) => change(key, { state: "failed", error: told(error) }),
    onSuccess: async () => {
      say(t("upload.done", { name: file.name }));
      await refresh().catch(fail);
      drop(key);
    },
  });
  running.set(key, sending);
  const earlier = await sending.findPreviousUploads();
  if (earlier.length) sending.resumeFromPreviousUpload(earlier[0]);
  sending.start();
}

/** Return the server's own words where it gave some. */
function told(error) {
  try {
    return JSON.parse(error.originalResponse.getBody()).error.message;
  } catch {
    return error.originalResponse ? error.message : t("upload.broken");
  }
}

/** Stop sending; what was sent is kept. */
export function pause(key) {
  running.get(key)?.abort();
  change(key, { state: "paused" });
}

/** Go on after a pause or a failure. */
export function resume(key) {
  change(key, { state: "sending", error: "" });
  running.get(key)?.start();
}

/** Give an upload up, on the server too. */
export function cancel(key) {
  running.get(key)?.abort(true).catch(() => null);
  drop(key);
}
