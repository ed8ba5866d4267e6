// Times and spans as people read them; seconds on the medium's own clock, which may begin before zero.

/** Write seconds as a clock: 0:07, 1:02:03; with `tenths` 0:07.5. */
export function clock(seconds, tenths = false) {
  const units = Math.round(Math.abs(seconds) * (tenths ? 10 : 1));
  const whole = tenths ? Math.floor(units / 10) : units;
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value) => String(value).padStart(2, "0");
  const tail = tenths ? `.${units % 10}` : "";
  return `${seconds < 0 && units ? "-" : ""}${h ? `${h}:${two(m)}` : m}:${two(s)}${tail}`;
}

/** Write a span as two clocks, with tenths where it is short. */
export function range(start, end) {
  const short = end - start < 20;
  const [from, to] = [clock(start, short), clock(end, short)];
  return from === to ? from : `${from}–${to}`;
}

/** Read a clock such as 00:09.375 or 1:02:03 as seconds. */
export function seconds(text) {
  const sign = text.startsWith("-") ? -1 : 1;
  return sign * text.replace("-", "").split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}
