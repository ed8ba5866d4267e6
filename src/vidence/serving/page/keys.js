// Keys that work anywhere on the page, unless something that takes text has them.

import { useEffect } from "./ui.js";

const TAKES_TEXT = "input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select, [contenteditable]";
const TAKES_PRESS = "button, a, summary, [role=slider], [role=menuitem]";

/** Listen while a component is shown. `bindings` is key → function; a letter is given in lower case. */
export function useKeys(bindings, deps = []) {
  useEffect(() => {
    const hear = (event) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const act = bindings[event.shiftKey && event.key.length > 1 ? `Shift+${key}` : key];
      if (!act || document.querySelector("dialog[open]")) return;
      const target = event.target instanceof Element ? event.target : document.body;
      if (key !== "Escape" && target.matches(TAKES_TEXT)) return;
      if ((key === " " || key === "Enter") && target.closest(TAKES_PRESS)) return;
      if (act(event) !== false) event.preventDefault();
    };
    addEventListener("keydown", hear);
    return () => removeEventListener("keydown", hear);
  }, deps);
}
