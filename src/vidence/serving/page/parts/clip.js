// A small player of one span of one medium: its first picture, until it is pressed. Two stand side by side in a conflict.

import { frameUrl, mediumUrl } from "../server.js";
import { range } from "../clock.js";
import { pause } from "../playback.js";
import { html, useEffect, useRef, useState } from "../ui.js";
import { t } from "../words.js";
import { Icon } from "./icon.js";

const SHORTEST_S = 0.4;

export function Clip({ medium, start, end }) {
  const [live, setLive] = useState(false);
  const label = t("chip.play", { span: range(start, end) });
  if (live) return html`<${Playing} medium=${medium} start=${start} end=${end} onStop=${() => setLive(false)} />`;
  const play = () => {
    pause();
    setLive(true);
  };
  return html`<button type="button" class="clip" aria-label=${label} onClick=${play}>
    ${medium.width ? html`<img src=${frameUrl(medium.id, (start + end) / 2, 270)} alt="" loading="lazy" />` : html`<${Icon} name="sound" size=${40} />`}
    <span class="clip-play"><${Icon} name="play" size=${20} /></span></button>`;
}

function Playing({ medium, start, end, onStop }) {
  const element = useRef(null);
  useEffect(() => {
    const video = element.current;
    const [from, to] = [start - medium.start_s, Math.max(end, start + SHORTEST_S) - medium.start_s];
    const again = () => { video.currentTime = from; };
    const begin = () => {
      again();
      video.play().catch(onStop);
    };
    const turn = () => video.currentTime >= to && !video.seeking && again();
    const ended = () => begin();
    video.addEventListener("loadedmetadata", begin, { once: true });
    video.addEventListener("timeupdate", turn);
    video.addEventListener("ended", ended);
    return () => video.pause();
  }, []);
  return html`<button type="button" class="clip" aria-label=${t("player.pause")} onClick=${onStop}>
    <video ref=${element} src=${mediumUrl(medium.id, "preview")} playsinline tabindex="-1" onError=${onStop}></video></button>`;
}
