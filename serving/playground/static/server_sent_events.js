/** Parser of server-sent events as in the HTML standard. EventSource cannot send POST requests. */

/** @param {ReadableStream<Uint8Array>} body @yields {{event: string, data: string}} */
export async function* serverSentEvents(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let event = "message";
  let data = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return; // an event without its empty line is incomplete and dropped
      rest += decoder.decode(value, { stream: true });
      // A CR at the end may be the first half of CR LF, so wait for more input.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (data.length) yield { event, data: data.join("\n") };
          event = "message";
          data = [];
          continue;
        }
        const [, field, text] = /^([^:]*):? ?(.*)$/s.exec(line);
        if (field === "event") event = text;
        else if (field === "data") data.push(text);
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
