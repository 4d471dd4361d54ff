/** Errors of the gateway, with messages for the user. */

export class Refusal extends Error {
  /**
   * @param {number} status HTTP status; 0 without a response, 200 if a stream ended with an error
   * @param {string} said the server's message, or empty
   * @param {{field?: string|null, seconds?: number|null}} more `seconds`: waiting time before the next attempt
   */
  constructor(status, said = "", { field = null, seconds = null } = {}) {
    super(sentence(words(status, said)));
    Object.assign(this, { status, field, seconds });
  }
}

function sentence(words) {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
}

function words(status, said) {
  if (status === 0) return "The server cannot be reached. Is it running, and are you connected?";
  if (status === 401) return "The key was not accepted. It may have been mistyped, have ended or been withdrawn.";
  if (status === 403) return said || "This key may not do that.";
  if (status === 413) return "The text is too long for one request.";
  if (status === 429) return "That was a lot in a short time.";
  if (status === 503) return "The poet is not ready: it is starting, or has more to write than it can.";
  if (status === 504) return "That took too long. A shorter length may help.";
  if (said && status < 500) return said;
  return "Something went wrong on the server. Try again; if it stays so, tell whoever runs it.";
}

/** Returns the refusal for an error response. */
export async function refusalOf(response) {
  let body = {};
  try {
    body = await response.json();
  } catch {
    // not JSON, for example a proxy's error page: the status is enough
  }
  return refused(response.status, body, response.headers.get("Retry-After"));
}

/** Returns the message without the field name, for display at the field: `temperature: it is …` becomes `It is …`. */
export function atField({ field, message }) {
  return sentence(message.toLowerCase().startsWith(`${field}: `) ? message.slice(field.length + 2) : message);
}

/** Returns the refusal for an error body or for an `error` event of a stream. */
export function refused(status, body, retryAfter = null) {
  const error = body?.error ?? body ?? {};
  const seconds = Number.parseInt(retryAfter ?? "", 10);
  return new Refusal(status, typeof error.message === "string" ? error.message : "", {
    field: typeof error.field === "string" ? error.field : null,
    seconds: Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), 3600) : null,
  });
}
