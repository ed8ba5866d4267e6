// Dark or light: as the system says, until one is chosen.

import { signal } from "./ui.js";

const KEPT = "vidence.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** "dark" or "light", as shown now. */
export const theme = signal("light");

function show() {
  theme.value = localStorage.getItem(KEPT) || (system.matches ? "dark" : "light");
  document.documentElement.dataset.theme = theme.value;
}

system.addEventListener("change", show);
show();

/** Change to the other one and remember it; back to the system's own is to follow the system again. */
export function switchTheme() {
  const other = theme.value === "dark" ? "light" : "dark";
  if ((other === "dark") === system.matches) localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, other);
  show();
}
