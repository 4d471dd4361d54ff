/** The reader's key: kept for this tab alone, never in the address. */

const PLACE = "robo-poet.key";
const USABLE = /^[\x21-\x7e]{8,4096}$/; // what an HTTP header can carry
let held = null; // where the browser keeps no storage for us

/** Is this text something that can be sent as a key? */
export function usable(text) {
  return USABLE.test(text);
}

/** The key, or null. */
export function current() {
  try {
    return sessionStorage.getItem(PLACE) ?? held;
  } catch {
    return held;
  }
}

/** Keep `key`, or forget it (null). */
export function keep(key) {
  held = key;
  try {
    if (key === null) sessionStorage.removeItem(PLACE);
    else sessionStorage.setItem(PLACE, key);
  } catch {
    // held in memory then
  }
}

/** Take a key over from `#key=…`, and the fragment out of the address bar. True if there was one that can be used. */
export function takeFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given === null) return false;
  history.replaceState(null, "", location.pathname + location.search);
  const taken = usable(given);
  if (taken) keep(given);
  return taken;
}

/** Headers that say who asks. A JWT has three parts between dots. */
export function headers() {
  const key = current();
  if (key === null) return {};
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(key) ? { Authorization: `Bearer ${key}` } : { "X-API-Key": key };
}

/** What the page may show of it. */
export function shown() {
  const key = current();
  return key === null ? "Enter a key" : `Key …${key.slice(-4)}`;
}
