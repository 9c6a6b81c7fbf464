// The server's API as this page uses it: example pictures, the model's name, and one streamed answer.

/** An answer that did not come; `message` is for the reader, `status` the HTTP status, 0 where there was none. */
export class AskError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

const WORDS = {
  401: "This server asks for a key.",
  413: "The picture is too large for this server. Choose a smaller one.",
  503: "The server is shutting down. Ask again when it is back.",
  504: "The answer took too long, so the server stopped it. Ask again.",
};

const authorisation = (key) => (key ? { Authorization: `Bearer ${key}` } : {});

/** An object of the server's, or null where it gives none. */
async function json(path, headers = {}) {
  const reply = await fetch(path, { headers }).catch(() => null);
  return reply?.ok ? reply.json() : null;
}

/** Example pictures: [{name, url}]. */
export const examples = async () => (await json("examples"))?.examples ?? [];

/** How many turns a conversation may have. */
export const mostTurns = async () => (await json("limits"))?.turns ?? Infinity;

/** Name of the model that answers; null where the key is not the right one. */
export const modelName = async (key) => (await json("v1/models", authorisation(key)))?.data[0].id ?? null;

/**
 * One answer, streamed.
 *
 * @param {object} request model, messages, graspwise: as the API takes them.
 * @param {{key: ?string, signal: AbortSignal, onText: function(string)}} how `onText` gets the text so far.
 * @returns the object of `predict --json`.
 * @throws AskError, or the AbortError of `signal`.
 */
export async function stream(request, { key, signal, onText }) {
  const reply = await reach(() =>
    fetch("v1/chat/completions", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...authorisation(key) },
      body: JSON.stringify({ ...request, stream: true }),
      signal,
    }),
  );
  if (!reply.ok) throw await refusal(reply);
  let text = "";
  let answer = null;
  for await (const event of events(reply.body)) {
    if (event.error) throw new AskError(event.error.code === "timeout" ? WORDS[504] : event.error.message);
    text += event.choices?.[0]?.delta?.content ?? "";
    answer = event.graspwise ?? answer;
    onText(text);
  }
  if (!answer) throw new AskError("The answer broke off. Ask again.");
  return answer;
}

/** A network failure in words; an abort stays what it is. */
async function reach(call) {
  try {
    return await call();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new AskError("The server does not answer. Is graspwise serve still running?");
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reach(() => reader.read());
    if (done) return;
    const lines = (rest + value).split(/\r?\n/);
    rest = lines.pop();
    for (const line of lines) {
      const data = line.startsWith("data:") ? line.slice(5).trim() : "";
      if (data && data !== "[DONE]") yield JSON.parse(data);
    }
  }
}

/** What a reply that is no answer says, in words. */
async function refusal(reply) {
  const said = await reply.json().catch(() => null);
  if (reply.status === 429) {
    const wait = Number(reply.headers.get("Retry-After"));
    return new AskError(`The server is busy. Ask again in ${wait > 1 ? `${wait} seconds` : "a second"}.`, 429);
  }
  const words = WORDS[reply.status] ?? said?.error?.message ?? `The server failed (${reply.status}). Ask again.`;
  return new AskError(words, reply.status);
}
