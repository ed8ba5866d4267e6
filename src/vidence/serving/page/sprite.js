// Thumbnails for hovering: a WebVTT file whose cues name pieces of one picture (#xywh=x,y,w,h).

import { mediumUrl, request } from "./server.js";
import { seconds } from "./clock.js";

const CUE = /((?:\d+:)?\d+:\d+(?:\.\d+)?)\s+-->\s+((?:\d+:)?\d+:\d+(?:\.\d+)?)[^\n]*\n([^\n#]+)#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)/g;

/** Return cues {start, end, url, x, y, w, h} of a medium; none where there are no pictures. */
export async function loadSprite(id) {
  const text = await (await request(mediumUrl(id, "thumbnails.vtt"))).text();
  return [...text.replaceAll("\r", "").matchAll(CUE)].map(([, start, end, name, ...place]) => {
    const [x, y, w, h] = place.map(Number);
    const file = name.trim().split("?")[0].split("/").at(-1); // never a place outside of this medium
    return { start: seconds(start), end: seconds(end), url: mediumUrl(id, encodeURIComponent(file)), x, y, w, h };
  });
}

/** Return the cue of a moment, counted from the medium's start. */
export function cueAt(cues, at) {
  return cues.find((cue) => at < cue.end) ?? cues.at(-1) ?? null;
}
