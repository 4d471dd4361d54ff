/** The gateway's endpoints that the page calls: generate and feedback. */

import { headers } from "./key.js";
import { Refusal, refusalOf, refused } from "./refusal.js";
import { serverSentEvents } from "./server_sent_events.js";

async function post(path, body, signal) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers() },
      body: JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0);
  }
  if (!response.ok) throw await refusalOf(response);
  return response;
}

/**
 * Generate one sample as a stream.
 * @param {object} request request fields (SERVE-2)
 * @yields {{text: string, tokens: {text: string, probability: number}[]}} each new piece
 * @returns {AsyncGenerator} returns the full answer at the end: `id`, `metadata`, …
 * @throws {Refusal}
 */
export async function* generate(request, signal) {
  const response = await post("/v1/generate", { ...request, num_samples: 1, stream: true, token_probabilities: true }, signal);
  try {
    for await (const { event, data } of serverSentEvents(response.body)) {
      const message = JSON.parse(data);
      if (event === "text") yield { text: message.text ?? "", tokens: message.tokens ?? [] };
      else if (event === "done") return message;
      else if (event === "error") throw refused(message.status_code ?? 200, message);
    }
  } catch (error) {
    if (error.name === "AbortError" || error instanceof Refusal) throw error;
    throw new Refusal(0);
  }
  throw new Refusal(0); // the stream ended without a `done` event
}

/** Send a rating of a completion: `{thumb: "up"|"down"}` or `{rating: 1…5}`. Throws Refusal. */
export async function sendFeedback(completion, opinion) {
  await post("/v1/feedback", { completion_id: completion, ...opinion });
}
