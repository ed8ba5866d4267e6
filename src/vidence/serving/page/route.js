// Where in the page one is: the part of the address after "#", so that links and the back button work.

import { signal } from "./ui.js";

/** {name: "library" | "video" | "search" | "runs", id, query: {…}}. */
export const route = signal(read());

function read() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, id = ""] = path.split("/");
  const known = ["video", "search", "runs"].includes(name);
  return {
    name: known ? name : "library",
    id: decodeURIComponent(id),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

addEventListener("hashchange", () => {
  route.value = read();
});

/** Write the address of a place, without what is empty. */
export function link(name, id = "", query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(given).toString();
  return `#/${name === "library" ? "" : name}${id && `/${encodeURIComponent(id)}`}${text && `?${text}`}`;
}

/** Go to a place. */
export function go(name, id, query) {
  location.hash = link(name, id, query);
}
