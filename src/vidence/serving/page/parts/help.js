// The keys that work, and in a few words what the page is.

import { html } from "../ui.js";
import { t } from "../words.js";
import { Dialog } from "./dialog.js";

const KEYS = [
  [["Space", "K"], "help.play"],
  [["J", "L"], "help.ten"],
  [["←", "→"], "help.five"],
  [["Shift", "←", "→"], "help.one"],
  [[",", "."], "help.frame"],
  [["<", ">"], "help.rate"],
  [["M"], "help.mute"],
  [["C"], "help.captions"],
  [["F"], "help.full"],
  [["A"], "help.ask"],
  [["/"], "help.search"],
  [["Esc"], "help.escape"],
  [["?"], "help.help"],
];

export function Help({ onClose }) {
  return html`<${Dialog} title=${t("help.title")} onClose=${onClose}>
    <dl class="keys">${KEYS.map(([keys, does]) => html`<div key=${does}>
      <dt>${keys.map((key) => html`<kbd key=${key}>${key}</kbd> `)}</dt><dd>${helped(does)}</dd></div>`)}</dl>
  </${Dialog}>`;
}

const helped = (key) => t(key);
