/** Errors of the gateway, with messages for the user. */

export class Refusal extends Error {
  /**
   * @param {number} status HTTP status; 0 without a response, 200 if a stream ended with an error
   * @param {string} serverMessage the server's message, or empty
   * @param {{field?: string|null, seconds?: number|null}} more `seconds`: waiting time before the next attempt
   */
  constructor(status, serverMessage = "", { field = null, seconds = null } = {}) {
    super(sentence(userMessage(status, serverMessage)));
    Object.assign(this, { status, field, seconds });
  }
}

function sentence(message) {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? "" : "."}`;
}

function userMessage(status, serverMessage) {
  if (status === 0) return "The server cannot be reached. Check your connection, and check that the server is running.";
  if (status === 401) return "The key was not accepted. It may be mistyped, expired or revoked.";
  if (status === 403) return serverMessage || "This key does not permit this request.";
  if (status === 413) return "The text is too long for one request.";
  if (status === 429) return "Too many requests in a short time.";
  if (status === 503) return "The server is not ready: it is starting or overloaded. Try again later.";
  if (status === 504) return "The request timed out. Try a shorter length.";
  if (serverMessage && status < 500) return serverMessage;
  return "The server reported an internal error. Try again. If the error persists, tell the operator of this server.";
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
