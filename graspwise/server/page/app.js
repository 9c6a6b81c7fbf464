// The page: one picture, one conversation about it. What is shown follows from `photo`, `turns` and `part.box`.

import { complete, element, writing } from "./answer.js";
import { AskError, examples, modelName, mostTurns, stream } from "./client.js";
import { Overlay } from "./overlay.js";
import { PartChooser } from "./part.js";
import { boxToSent, openPhoto, toGiven } from "./photo.js";

const $ = (id) => document.getElementById(id);
const overlay = new Overlay($("overlay"));
const part = new PartChooser(overlay, $("part"), () => update());
// What to say of the example pictures, and which part of one that shows many things.
const FIRST_WORDS = {
  banana: "Pick up the banana",
  coffee: "Pick up the cup",
  desk: "Pick up the pencil",
  hammer: "Pick up the hammer",
  mug: "Pick up the mug",
};
const FIRST_PART = { desk: [36, 80, 350, 280] };
const DEFAULT_WORDS = "Pick up the object";
const REPLIES = ["Further left", "A bit lower", "Turn it a quarter", "The other end", "Another one"];

let photo = null; // from openPhoto
let turns = []; // [{asked, answer}], answer as `predict --json`, in pixels of the picture as given
let busy = null; // AbortController of the answer being written
let limit = Infinity; // turns
let key = sessionStorage.getItem("graspwise-key");

// ---- the picture

async function choose(blob) {
  let opened;
  try {
    opened = await openPhoto(blob);
  } catch (error) {
    showError(error.message);
    return false;
  }
  forget();
  photo = opened;
  $("photo").src = photo.shown;
  $("stage").style.setProperty("--ratio", photo.size[0] / photo.size[1]);
  overlay.reset(photo.size);
  document.body.dataset.state = "picture";
  $("ask").disabled = false;
  suggest([DEFAULT_WORDS]);
  update();
  $("ask").focus({ preventScroll: true });
  return true;
}

/** Back to the start: no picture, no conversation. */
function forget() {
  busy?.abort();
  busy = null;
  if (photo) URL.revokeObjectURL(photo.shown);
  photo = null;
  turns = [];
  part.reset();
  $("log").replaceChildren();
  $("ask").value = "";
  $("ask").disabled = true;
  showError("");
  suggest([]);
  document.body.dataset.state = "empty";
  update();
}

async function showExamples() {
  const known = await examples();
  for (const { name, url } of known) {
    const image = element("img", { src: url, alt: "", loading: "lazy" });
    const button = element("button", { type: "button" }, [image, element("span", {}, [name])]);
    button.addEventListener("click", async () => {
      const reply = await fetch(url).catch(() => null);
      if (!reply?.ok) return showError("This example cannot be fetched from the server.");
      if (!(await choose(await reply.blob()))) return;
      if (FIRST_PART[name]) part.set(true, [...FIRST_PART[name]]);
      suggest([FIRST_WORDS[name] ?? DEFAULT_WORDS]);
      update();
    });
    $("examples").append(element("li", {}, [button]));
  }
  $("examples-box").hidden = known.length === 0;
}

for (const id of ["file", "camera"]) {
  $(id).addEventListener("change", async () => {
    if ($(id).files[0]) await choose($(id).files[0]);
    // The same file may be chosen again.
    $(id).value = "";
  });
}
$("new-picture").addEventListener("click", () => {
  forget();
  $("file").focus();
});
document.addEventListener("paste", (event) => {
  const file = event.clipboardData.files[0];
  if (!file) return;
  event.preventDefault();
  choose(file);
});
let dragged = 0;
document.addEventListener("dragenter", () => veil(++dragged));
document.addEventListener("dragleave", () => veil(--dragged));
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  veil((dragged = 0));
  const file = event.dataTransfer.files[0];
  if (file) choose(file);
  else showError("Drop a picture file from your computer.");
});
const veil = (count) => document.body.classList.toggle("dragging", count > 0);

// ---- the conversation

async function ask(text) {
  const asked = text.trim().replace(/\s+/g, " ");
  if (!photo || busy || full() || !asked) return;
  const request = {
    messages: messages(asked),
    ...(part.box && { graspwise: { workspace: boxToSent(part.box, photo) } }),
  };
  const mine = (busy = new AbortController());
  const question = element("li", { class: "question" }, [asked]);
  const { item: reply, write } = writing();
  $("log").append(question, reply);
  $("ask").value = "";
  showError("");
  suggest([]);
  update();
  scrollDown();
  let moved = false;
  try {
    const answer = await stream(request, {
      key,
      signal: mine.signal,
      onText: (written) => {
        write(written);
        scrollDown();
      },
    });
    if (busy !== mine) return;
    if (String(answer.image_size) !== String(photo.sentSize)) {
      throw new AskError("The server sees this picture turned or in another size. Save it as a JPEG and choose that.");
    }
    turns.push({ asked, answer: toGiven(answer, photo) });
    complete(reply, turns.at(-1).answer, { isSame: isSame(), undo: takeBack, say });
    moved = true;
  } catch (error) {
    if (busy !== mine) return;
    question.remove();
    reply.remove();
    // What was typed meanwhile stays.
    $("ask").value ||= asked;
    if (error.status === 401) askKey();
    else if (error instanceof AskError) showError(error.message);
    else if (error.name !== "AbortError") showError("The answer cannot be read. Ask again.");
  } finally {
    if (busy === mine) {
      busy = null;
      suggestNext();
      update({ moved });
      scrollDown();
      // A phone's keyboard would hide the grasp.
      if (matchMedia("(hover: hover)").matches) $("ask").focus({ preventScroll: true });
    }
  }
}

function messages(asked) {
  // An answer of no words would be no turn.
  const spoken = turns.filter(({ answer }) => answer.text).flatMap(({ asked: said, answer }) => [
    { role: "user", content: said },
    // What the model wrote itself names its target.
    { role: "assistant", content: answer.text, graspwise: { model_text: answer.model_text ?? answer.text } },
  ]);
  const [first, ...rest] = [...spoken, { role: "user", content: asked }];
  const image = { type: "image_url", image_url: { url: photo.sent } };
  return [{ ...first, content: [image, { type: "text", text: first.content }] }, ...rest];
}

function takeBack() {
  if (busy || !turns.length) return;
  turns.pop();
  $("log").lastElementChild.remove();
  $("log").lastElementChild.remove();
  showError("");
  suggestNext();
  update();
  say("The last answer is taken back.");
  $("ask").focus({ preventScroll: true });
}

$("ask-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (busy) busy.abort();
  else ask($("ask").value);
});
$("ask").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!busy) ask($("ask").value);
});
$("ask").addEventListener("input", () => update());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !$("key-dialog").open) busy?.abort();
});

function askKey() {
  $("key").value = "";
  $("key-dialog").showModal();
}
$("key-form").addEventListener("submit", async () => {
  key = $("key").value;
  sessionStorage.setItem("graspwise-key", key);
  await showModel();
  ask($("ask").value);
});

// ---- what is shown

/** The grasp on show and the one before it, in pixels; a refusal keeps both. */
function graspsOnShow() {
  const found = turns.map(({ answer }) => answer.grasp_px).filter(Boolean);
  return { now: found.at(-1) ?? null, before: found.at(-2) ?? null };
}

/** Whether nobody would see that the grasp is another one: a hundredth of the picture, three degrees. */
function isSame() {
  const { now, before } = graspsOnShow();
  if (!before) return false;
  const turned = Math.abs(Math.sin(now.theta - before.theta));
  return Math.hypot(now.x - before.x, now.y - before.y) < Math.max(...photo.size) / 100 && turned < Math.sin(Math.PI / 60);
}

function update({ moved = false } = {}) {
  const { now, before } = graspsOnShow();
  const fresh = moved && turns.at(-1)?.answer.grasp_px;
  if (fresh) document.querySelector('input[name="show"][value="both"]').checked = true;
  const show = before ? document.querySelector('input[name="show"]:checked').value : "now";
  if (photo) {
    overlay.draw({
      now: show === "before" ? null : now,
      before: show === "now" ? null : before,
      part: part.box,
      from: fresh ? before : null,
    });
  }
  $("legend").hidden = !now;
  $("compare").hidden = !before;
  $("part-hint").hidden = !part.isOn || part.box !== null;
  $("send").textContent = busy ? "Stop" : "Ask";
  $("send").disabled = !busy && (!photo || full() || !$("ask").value.trim());
  const first = turns.length === 0;
  $("ask-label").textContent = first ? "What should be picked up?" : "Answer back";
  $("ask").placeholder = placeholder();
  document.body.classList.toggle("busy", Boolean(busy));
}

function placeholder() {
  if (!photo) return "First choose a picture";
  if (full()) return "No more turns: undo, or start with a new picture";
  return turns.length ? "further left, keep the angle" : "Pick up the mug";
}

for (const radio of document.querySelectorAll('input[name="show"]')) radio.addEventListener("change", () => update());

function suggest(sentences) {
  const buttons = sentences.map((sentence) => {
    const button = element("button", { type: "button", class: "suggestion" }, [sentence]);
    button.addEventListener("click", () => ask(sentence));
    return button;
  });
  $("suggestions").replaceChildren(...buttons);
  $("suggestions").hidden = buttons.length === 0;
}

const suggestNext = () => suggest(full() ? [] : turns.length ? REPLIES : [DEFAULT_WORDS]);

const full = () => turns.length >= limit;

function showError(words) {
  $("error").textContent = words;
  $("error").hidden = !words;
}

const say = (words) => ($("status").textContent = words);

const scrollDown = () => ($("log").scrollTop = $("log").scrollHeight);

async function showModel() {
  const model = await modelName(key);
  $("model").textContent = model ? `model: ${model}` : "";
  $("model").hidden = !model;
}

new ResizeObserver(scrollDown).observe($("log"));
forget();
showExamples();
showModel();
limit = await mostTurns();
