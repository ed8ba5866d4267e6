// The view library, and signals as a hook: a component that calls useValue(s) is drawn anew when s changes.

import { html, render, useEffect, useLayoutEffect, useRef, useState, useMemo } from "./vendor/htm-preact.js";
import { batch, computed, effect, signal } from "./vendor/signals-core.js";

export { batch, computed, effect, html, render, signal, useEffect, useLayoutEffect, useMemo, useRef, useState };

/** Return the value of a signal, and draw the component anew whenever it changes. */
export function useValue(source) {
  const [value, set] = useState(() => source.value);
  useLayoutEffect(() => source.subscribe((next) => set(() => next)), [source]);
  return value;
}

/** Join the class names that hold. */
export function classes(...names) {
  return names.filter(Boolean).join(" ");
}
