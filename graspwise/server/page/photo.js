// A picture from the user: shown as it is, sent small enough to be quick on a phone's network.

// Browsers and the server do not agree on how other kinds are turned.
const SENT_AS_IS = ["image/jpeg", "image/png"];
const MOST_BYTES = 2_000_000;
const LONGEST_SIDE = 1600;

/**
 * @param {Blob} blob a file the browser can show.
 * @returns {Promise<{shown: string, sent: string, size: number[], sentSize: number[]}>} `shown` is an object URL, `sent`
 *   a data URL; sizes are [width, height] in pixels as displayed (EXIF orientation applied).
 * @throws Error with words for the reader.
 */
export async function openPhoto(blob) {
  const shown = URL.createObjectURL(blob);
  const image = new Image();
  image.src = shown;
  try {
    await image.decode();
  } catch {
    URL.revokeObjectURL(shown);
    throw new Error("That file is no picture this browser can show. Choose a JPEG, PNG or WebP.");
  }
  const size = [image.naturalWidth, image.naturalHeight];
  if (SENT_AS_IS.includes(blob.type) && blob.size <= MOST_BYTES) {
    return { shown, sent: await dataUrl(blob), size, sentSize: size };
  }
  const factor = Math.min(LONGEST_SIDE / Math.max(...size), 1);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = size.map((side) => Math.max(1, Math.round(side * factor)));
  const pen = canvas.getContext("2d");
  // JPEG has no transparency; the server puts white below it, too.
  pen.fillStyle = "white";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  return { shown, sent: canvas.toDataURL("image/jpeg", 0.92), size, sentSize: [canvas.width, canvas.height] };
}

const dataUrl = (blob) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Error("That file cannot be read."));
    reader.readAsDataURL(blob);
  });

/** A half-open box [x0, y0, x1, y1] in pixels of the picture as pixels of what is sent. */
export const boxToSent = (box, { size, sentSize }) => {
  const [across, down] = [sentSize[0] / size[0], sentSize[1] / size[1]];
  return [box[0] * across, box[1] * down, box[2] * across, box[3] * down].map(Math.round);
};

/** The server's answer, about the picture that was sent, in pixels of the picture as the user gave it. */
export function toGiven(answer, { size, sentSize }) {
  const [across, down] = [size[0] / sentSize[0], size[1] / sentSize[1]];
  if (across === 1 && down === 1) return answer;
  // An integer is a pixel's centre, so the picture's edge is at -0.5.
  const point = (x, y) => [rounded((x + 0.5) * across - 0.5), rounded((y + 0.5) * down - 0.5)];
  const given = { ...answer, image_size: size };
  if (answer.grasp_px) {
    const { x, y, theta, opening, jaw } = answer.grasp_px;
    const [px, py] = point(x, y);
    given.grasp_px = { x: px, y: py, theta, opening: scaled(opening, across), jaw: scaled(jaw, across) };
  }
  if (answer.rectangle) given.rectangle = answer.rectangle.map(([x, y]) => point(x, y));
  return given;
}

const rounded = (value) => Math.round(value * 1000) / 1000;
const scaled = (length, factor) => (length === null ? null : rounded(length * factor));
