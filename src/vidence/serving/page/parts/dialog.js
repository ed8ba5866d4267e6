// A question before the page goes on: the browser's own dialog, which keeps the focus and closes on Escape.

import { html, useEffect, useRef } from "../ui.js";
import { t } from "../words.js";
import { IconButton } from "./icon.js";

export function Dialog({ title, onClose, children }) {
  const self = useRef(null);
  useEffect(() => {
    const from = document.activeElement;
    self.current.showModal();
    return () => from?.focus?.();
  }, []);
  const outside = (event) => event.target === self.current && onClose();
  return html`<dialog ref=${self} aria-labelledby="dialog-title" onClose=${onClose} onClick=${outside}>
    <div class="dialog-body">
      <header class="row spread"><h2 id="dialog-title" dir="auto">${title}</h2>
        <${IconButton} name="close" label=${t("close")} onClick=${onClose} /></header>
      ${children}
    </div>
  </dialog>`;
}

/** A dialog that asks whether to do what cannot be undone. */
export function Confirm({ title, text, action, onYes, onClose }) {
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <p dir="auto">${text}</p>
    <div class="row end">
      <button type="button" onClick=${onClose}>${t("cancel")}</button>
      <button type="button" class="danger" onClick=${onYes}>${action}</button>
    </div>
  </${Dialog}>`;
}
