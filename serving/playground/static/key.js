/** The user's API key. It is stored for this tab only and never stays in the URL. */

const PLACE = "robo-poet.key";
const USABLE = /^[\x21-\x7e]{8,4096}$/; // characters allowed in an HTTP header
let held = null; // used if session storage is not available

/** Returns true if the text can be sent as a key. */
export function usable(text) {
  return USABLE.test(text);
}

/** Returns the key, or null. */
export function current() {
  try {
    return sessionStorage.getItem(PLACE) ?? held;
  } catch {
    return held;
  }
}

/** Store `key`, or delete the stored key (null). */
export function keep(key) {
  held = key;
  try {
    if (key === null) sessionStorage.removeItem(PLACE);
    else sessionStorage.setItem(PLACE, key);
  } catch {
    // the key stays in memory only
  }
}

/** Store the key from `#key=…` and remove the fragment from the URL. Returns true if the key is usable. */
export function takeFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given === null) return false;
  history.replaceState(null, "", location.pathname + location.search);
  const taken = usable(given);
  if (taken) keep(given);
  return taken;
}

/** Returns the authentication headers. A JWT has three parts separated by dots. */
export function headers() {
  const key = current();
  if (key === null) return {};
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(key) ? { Authorization: `Bearer ${key}` } : { "X-API-Key": key };
}

/** Returns the label of the key button: the last four characters of the key. */
export function shown() {
  const key = current();
  return key === null ? "Enter a key" : `Key …${key.slice(-4)}`;
}
