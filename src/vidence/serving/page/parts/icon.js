// Drawings of 24 x 24, in the colour of the text around them. They say nothing: what they stand for is written.

import { html } from "../ui.js";

const PATHS = {
  play: "M8 5.2v13.6c0 .8.9 1.3 1.6.9l10.6-6.8a1.1 1.1 0 0 0 0-1.8L9.6 4.3c-.7-.4-1.6.1-1.6.9z",
  pause: "M7 4.5h3v15H7zM14 4.5h3v15h-3z",
  upload: "M12 16V4M7 9l5-5 5 5M4 15v4a1.5 1.5 0 0 0 1.5 1.5h13A1.5 1.5 0 0 0 20 19v-4",
  search: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5L21 21",
  sun: "M12 7.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM12 1.8v2.4M12 19.8v2.4M1.8 12h2.4M19.8 12h2.4M4.8 4.8l1.7 1.7M17.5 17.5l1.7 1.7M4.8 19.2l1.7-1.7M17.5 6.5l1.7-1.7",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  help: "M9 9a3 3 0 1 1 4.4 2.7c-.9.5-1.4 1-1.4 2v.6M12 17.6v.2M12 2.5a9.5 9.5 0 1 1 0 19 9.5 9.5 0 0 1 0-19z",
  close: "M6 6l12 12M18 6L6 18",
  more: "M5 10.3a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4zM12 10.3a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4zM19 10.3a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4z",
  repeat: "M17 2.5l3 3-3 3M4 11.5V9a3.5 3.5 0 0 1 3.5-3.5H20M7 21.5l-3-3 3-3M20 12.5V15a3.5 3.5 0 0 1-3.5 3.5H4",
  back: "M15 5l-7 7 7 7",
  sound: "M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.3a8 8 0 0 1 0 11.4",
  silent: "M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
  full: "M4 9V4.5h5M15 4.5h5V9M20 15v4.5h-5M9 19.5H4V15",
  check: "M4.5 12.5l5 5 10-11",
  cross: "M6 6l12 12M18 6L6 18",
  doubt: "M9 9a3 3 0 1 1 4.4 2.7c-.9.5-1.4 1-1.4 2v.6M12 17.6v.2",
  unseen: "M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6zM4 4l16 16",
  film: "M3.5 5h17v14h-17zM7.5 5v14M16.5 5v14M3.5 9.6h4M3.5 14.4h4M16.5 9.6h4M16.5 14.4h4",
  down: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
  eye: "M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6zM12 9.3a2.7 2.7 0 1 1 0 5.4 2.7 2.7 0 0 1 0-5.4z",
  zoom_in: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5L21 21M10.5 7.5v6M7.5 10.5h6",
  zoom_out: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5L21 21M7.5 10.5h6",
  question: "M4 5.5h16v11H11l-4.5 4v-4H4z",
  outside: "M14 4.5h5.5V10M19.5 4.5L11 13M10 5.5H5.5v13h13V14",
  exit: "M14 4.5h5.5v15H14M4 12h10.5M11 8.5L14.5 12 11 15.5",
};
const FILLED = new Set(["play", "pause", "more"]);

export function Icon({ name, size = 20 }) {
  return html`<svg class=${FILLED.has(name) ? "icon filled" : "icon"} width=${size} height=${size} viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>`;
}

/** A button that shows a drawing alone; its label is said, and shown on hover. */
export function IconButton({ name, label, onClick, size, ...rest }) {
  return html`<button type="button" class="icon-button" aria-label=${label} title=${label} onClick=${onClick} ...${rest}>
    <${Icon} name=${name} size=${size} /></button>`;
}
