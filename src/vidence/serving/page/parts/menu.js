// A button that opens a list of things to do. Items are {label, hint, href, download, onPick, danger}.

import { classes, html, useEffect, useRef, useState } from "../ui.js";
import { Icon } from "./icon.js";

export function Menu({ label, icon, items, text = false }) {
  const [open, setOpen] = useState(false);
  const self = useRef(null);
  const close = (focus) => {
    setOpen(false);
    if (focus) self.current.querySelector("button").focus();
  };
  useEffect(() => {
    if (!open) return undefined;
    entries(self.current)[0]?.focus();
    const outside = (event) => !self.current.contains(event.target) && setOpen(false);
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, [open]);
  return html`<div class="menu" ref=${self} onKeyDown=${(event) => open && hear(event, self.current, close)}>
    <button type="button" class=${text ? "" : "icon-button"} aria-haspopup="menu" aria-expanded=${open ? "true" : "false"}
      aria-label=${label} title=${text ? null : label} onClick=${() => setOpen(!open)}>
      <${Icon} name=${icon} size=${text ? 18 : 20} />${text && html`<span>${label}</span>`}</button>
    ${open && html`<div class="menu-list" role="menu" aria-label=${label}>
      ${items.map((item) => html`<${Item} key=${item.label} item=${item} close=${close} />`)}</div>`}
  </div>`;
}

function Item({ item, close }) {
  const inside = html`<span>${item.label}</span>${item.hint && html`<small>${item.hint}</small>`}`;
  if (item.href) {
    return html`<a role="menuitem" tabindex="-1" href=${item.href} download=${item.download ?? ""}
      onClick=${() => close(true)}>${inside}</a>`;
  }
  const pick = () => {
    close(true);
    item.onPick();
  };
  return html`<button type="button" role="menuitem" tabindex="-1" class=${classes(item.danger && "danger-text")}
    onClick=${pick}>${inside}</button>`;
}

const entries = (menu) => [...menu.querySelectorAll("[role=menuitem]")];

function hear(event, menu, close) {
  const all = entries(menu);
  const at = all.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
  if (to !== undefined) all[to % all.length].focus();
  else if (event.key === "Escape") close(true);
  else if (event.key === "Tab") close(false);
  else return;
  if (event.key !== "Tab") event.preventDefault();
  event.stopPropagation();
}
