// What is said to those who hear the page, and shown for a while to those who see it.

import { signal } from "./ui.js";

/** The newest remark: {text, kind: "said" | "note" | "error"}; "said" is heard alone. */
export const remark = signal(null);

let fading = 0;

/** Say something to screen readers. */
export function say(text) {
  remark.value = { text, kind: "said" };
}

/** Show a remark for some seconds, and say it. */
export function note(text, kind = "note") {
  remark.value = { text, kind };
  clearTimeout(fading);
  fading = setTimeout(() => {
    remark.value = null;
  }, kind === "error" ? 9000 : 5000);
}

/** Show why something failed; what was stopped on purpose is no failure. */
export function fail(error) {
  if (error?.name !== "AbortError") note(error?.message || String(error), "error");
}
