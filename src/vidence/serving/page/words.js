// Every word of the page: catalogues by language, plural forms, numbers and dates as the language writes them.

import { signal } from "./ui.js";

/** Language code → its own name. A catalogue is locales/CODE.json; all have the same keys. */
export const LANGUAGES = { en: "English", zh: "中文" };

const KEPT = "vidence.language";
const catalogues = {};

/** The language in use. */
export const language = signal("en");

/** Load the language that was chosen, else the first of the browser's that there is, else English. */
export async function startWords() {
  const wanted = [localStorage.getItem(KEPT), ...(navigator.languages || [navigator.language])];
  const found = wanted.map((code) => (code || "").toLowerCase().split("-")[0]).find((code) => code in LANGUAGES);
  await use(found || "en");
}

/** Choose a language and remember it. */
export async function chooseLanguage(code) {
  localStorage.setItem(KEPT, code);
  await use(code);
}

async function use(code) {
  catalogues[code] ??= await (await fetch(`locales/${code}.json`)).json();
  document.documentElement.lang = code === "zh" ? "zh-Hans" : code;
  language.value = code;
}

/** Return the text under a key. `{name}` takes a value; an entry with plural forms is chosen by `n`. */
export function t(key, values = {}) {
  let text = catalogues[language.value]?.[key];
  if (text === undefined) return key;
  if (typeof text === "object") text = text[new Intl.PluralRules(language.value).select(values.n)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : String(value ?? "");
  });
}

/** Return the text of a member of a family ("sense", "speech"), or `other`, the name itself, where it has none. */
export function named(family, name, other = String(name)) {
  const text = t(`${family}.${name}`);
  return text === `${family}.${name}` ? other : text;
}

/** Write a number as the language does. */
export function number(value, digits = 1) {
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: digits }).format(value);
}

/** Write a share (0 to 1) as a percentage. */
export function percent(share) {
  return new Intl.NumberFormat(language.value, { style: "percent", maximumFractionDigits: 0 }).format(share);
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** Write a size in bytes. */
export function size(bytes) {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  const shown = { style: "unit", unit: UNITS[power], unitDisplay: power ? "short" : "long", maximumFractionDigits: 1 };
  return new Intl.NumberFormat(language.value, shown).format(bytes / 1000 ** power);
}

const AGES = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** Write how long ago a moment was; `when` is in seconds since 1970. */
export function ago(when) {
  const seconds = Math.min(0, when - Date.now() / 1000);
  const [unit, length] = AGES.find(([, length]) => -seconds >= length) ?? AGES.at(-1);
  const format = new Intl.RelativeTimeFormat(language.value, { numeric: "auto" });
  return format.format(Math.round(seconds / length), unit);
}

/** Write a list of things, as "a, b and c". */
export function listed(items) {
  return new Intl.ListFormat(language.value, { type: "conjunction" }).format(items.map(String));
}
