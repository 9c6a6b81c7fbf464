// One answer in the conversation: its reason, its pose, and what can be done with it.

export function element(name, attributes = {}, children = []) {
  const node = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value);
  node.append(...children);
  return node;
}

/** An answer that is being written: {item, write(text)}. */
export function writing() {
  const words = element("p", { class: "reason" });
  return { item: element("li", { class: "answer writing" }, [words]), write: (text) => (words.textContent = text) };
}

/**
 * The same item, complete.
 *
 * @param {HTMLElement} item from `writing`.
 * @param {object} answer as `predict --json`.
 * @param {{isSame: boolean, undo: function(), say: function(string)}} around `isSame`: whether the grasp before was the
 *   same one; `say` tells who cannot see.
 */
export function complete(item, answer, { isSame, undo, say }) {
  const words = item.firstElementChild;
  item.classList.remove("writing");
  if (answer.refused) {
    item.classList.add("refused");
    words.textContent = answer.reasoning ?? "Nothing in view serves that.";
  } else if (answer.grasp) {
    words.textContent = answer.reasoning ?? "This model gives no reason.";
    words.classList.toggle("muted", !answer.reasoning);
  } else {
    words.textContent = answer.text;
    item.append(note("That holds no grasp. Ask in other words."));
  }
  const actions = element("p", { class: "actions" }, [button("Undo", "undo", undo)]);
  if (!answer.grasp) {
    item.append(actions);
    return;
  }
  if (isSame) item.append(note("It is the same grasp as before."));
  const text = JSON.stringify(answer, null, 2);
  actions.prepend(button("Copy pose", "copy", (event) => copy(text, event.currentTarget, say)));
  item.append(element("p", { class: "pose" }, [pose(answer.grasp)]), actions, folded(text));
}

const note = (words) => element("p", { class: "muted" }, [words]);

function button(words, kind, action) {
  const node = element("button", { type: "button", class: `quiet ${kind}` }, [words]);
  node.addEventListener("click", action);
  return node;
}

function pose({ x, y, theta }) {
  const sign = theta < 0 ? "" : "+";
  const degrees = Math.round((theta * 180) / Math.PI);
  return `x ${x.toFixed(3)}, y ${y.toFixed(3)}, theta ${sign}${theta.toFixed(2)} rad (${degrees}°)`;
}

function folded(text) {
  const pre = element("pre", { tabindex: "0", "aria-label": "Answer as JSON" }, [text]);
  const details = element("details", {}, [element("summary", {}, ["JSON"]), pre]);
  details.addEventListener("toggle", () => details.scrollIntoView({ block: "nearest" }));
  return details;
}

async function copy(text, pressed, say) {
  const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  if (!done) copyOldWay(text);
  pressed.textContent = "Copied";
  say("The pose is copied.");
  setTimeout(() => (pressed.textContent = "Copy pose"), 1500);
}

/** A page that comes by plain HTTP from another machine has no clipboard of its own. */
function copyOldWay(text) {
  const field = element("textarea", { class: "unseen" });
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
