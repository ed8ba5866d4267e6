// The lanes of a timeline: which there are, their marks, few enough to draw, and what was never looked at.

const ORDER = ["evidence", "alerts", "scenes", "shots", "speech", "text", "objects", "faces", "captions", "sound",
  "motion", "colour", "looks"];
const QUIET = new Set(["motion", "colour", "looks", "sound"]); // long lists of small things: folded away at first
const MOST_MARKS = 250;
const MOST_ROWS = 3;

/** Say whether a lane is folded away until it is wanted: that of small things, or of what was measured for a report. */
export const isQuiet = (lane) => QUIET.has(lane.name) || lane.helping;

/**
 * Make the lanes of what the server sent: {name, marks, more, unseen, failed, never}, in the order of ORDER.
 * `senses` are those that the server has; one that never ran is a lane as well: unseen from end to end. `besides` are
 * marks by the name of their lane that no sense made.
 */
export function makeLanes(timeline, senses, besides) {
  const { start_s: start, end_s: end, lanes, coverage, failures, scenes } = timeline;
  const made = Object.keys({ ...Object.fromEntries(senses.map((name) => [name, 1])), ...lanes, ...coverage }).map((name) => {
    const seen = coverage[name] ?? [];
    return {
      name,
      marks: told(name, lanes[name] ?? []),
      unseen: name in coverage || senses.includes(name) ? gaps(seen, start, end) : [],
      more: timeline.left_out?.[name] ?? 0,
      failed: failures.filter((one) => one.sense === name),
      never: senses.includes(name) && !seen.length,
      helping: !senses.includes(name) && !lanes[name]?.some((mark) => mark.text),
    };
  });
  const bare = (name, marks) => ({ name, marks, more: 0, unseen: [], failed: [], never: false, helping: false });
  if (scenes.length > 1) made.push(bare("scenes", scenes.map((one) => ({ ...one, text: one.title, confidence: 1 }))));
  for (const [name, marks] of Object.entries(besides)) if (marks.length) made.push(bare(name, marks));
  const place = (name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return made.sort((a, b) => place(a.name) - place(b.name) || a.name.localeCompare(b.name));
}

/** Number the shots, which all say the same, and leave out what says nothing. */
function told(name, marks) {
  if (name === "shots") return marks.map((mark, index) => ({ ...mark, text: String(index + 1) }));
  return marks.filter((mark) => mark.text);
}

/** Return what of a stretch no span covers. */
export function gaps(spans, start, end) {
  const found = [];
  let at = start;
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    if (span.start > at + 1e-3) found.push({ start: at, end: span.start });
    at = Math.max(at, span.end);
  }
  if (at < end - 1e-3) found.push({ start: at, end });
  return found;
}

/** Return the marks that show in a view, neighbours joined where there are too many, each with a row. */
export function layOut(marks, from, to) {
  const shown = marks.filter((mark) => mark.end >= from && mark.start <= to);
  return stack(shown.length > MOST_MARKS ? thin(shown, from, to) : shown);
}

/** Join marks that begin in one cell of a grid of MOST_MARKS cells. */
function thin(marks, from, to) {
  const cells = new Map();
  for (const mark of marks) {
    const key = Math.floor(((mark.start - from) / (to - from)) * MOST_MARKS);
    const known = cells.get(key);
    cells.set(key, known ? join(known, mark) : mark);
  }
  return [...cells.values()];
}

function join(left, right) {
  const texts = new Set([...left.text.split(" · "), right.text].filter(Boolean));
  return {
    ...left,
    start: Math.min(left.start, right.start),
    end: Math.max(left.end, right.end),
    text: [...texts].slice(0, 6).join(" · "),
    confidence: Math.max(left.confidence, right.confidence),
  };
}

/** Give each mark the topmost row that is free at its start; what finds no room joins the last. */
function stack(marks) {
  const ends = Array(MOST_ROWS).fill(-Infinity);
  return [...marks]
    .sort((a, b) => a.start - b.start || b.end - a.end)
    .map((mark) => {
      const free = ends.findIndex((end) => end <= mark.start + 1e-3);
      const row = free < 0 ? MOST_ROWS - 1 : free;
      ends[row] = Math.max(ends[row], mark.end);
      return { ...mark, row };
    });
}

const NICE_STEPS_S = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];

/** Return round times between `from` and `to`, at most `most`. */
export function ticks(from, to, most) {
  const step = NICE_STEPS_S.find((one) => (to - from) / one <= most) ?? NICE_STEPS_S.at(-1);
  const found = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push(at);
  return found;
}
