// Photos from a drop, the clipboard, a file dialog or the camera go to /label; their faces are drawn and listed.

const AT_ONCE = 2;         // photos sent side by side
const MANY = 50;           // photos on the page, from which on they are drawn smaller
const TRIES = 8;           // where the server is full, after the seconds that it asks for
const COLORS = ["#0d9488", "#d97706", "#7c3aed", "#db2777", "#2563eb", "#65a30d", "#dc2626", "#0891b2"];
const VALUES = {           // as people read them
  incorrect: "worn wrongly", bare: "not worn", under30: "under 30", "30to59": "30 to 59", "60plus": "60 and over",
};
const FOUND = {
  mtcnn: "", lenient: "Found by the second look", padded: "Found with a border around the photo",
  center: "No face found: the middle of the photo", given: "",
};

const $ = (id) => document.getElementById(id);
const photos = [];         // {name, blob, card, answer, error}
let waiting = [], sending = 0, began = 0;
let looked = {};           // {photo, picture}: see pictureOf

// ---- taking photos in

function add(files) {
  if (!files.length) return;
  if (!sending && !waiting.length) began = performance.now();
  for (const file of files) {
    const photo = { name: file.name || "pasted photo", blob: file };
    photo.card = newCard(photo);
    photos.push(photo);
    waiting.push(photo);
  }
  next();
}

function newCard(photo) {
  const card = $("card").content.firstElementChild.cloneNode(true);
  card.querySelector(".name span").textContent = photo.name;
  card.querySelector(".name span").title = photo.name;
  card.querySelector(".remove").setAttribute("aria-label", `Remove ${photo.name}`);
  card.querySelector(".remove").addEventListener("click", () => remove(photo));
  card.querySelector(".message").textContent = "Waiting …";
  $("photos").prepend(card);
  return card;
}

function remove(photo) {
  photos.splice(photos.indexOf(photo), 1);
  waiting = waiting.filter((other) => other !== photo);
  photo.card.remove();
  showStatus();
  $("files").focus();
}

// ---- asking the server

function next() {
  showStatus();
  while (sending < AT_ONCE && waiting.length) {
    sending += 1;
    const photo = waiting.shift();
    label(photo).finally(() => { sending -= 1; next(); });
  }
}

async function label(photo) {
  photo.card.querySelector(".message").textContent = "Looking …";
  try {
    photo.answer = await ask(photo);
    const image = await createImageBitmap(photo.blob);  // upright, as the server sees it
    showFaces(photo, image);
    image.close();
  } catch (error) {
    photo.error = error.message;
    photo.card.classList.add("bad");
    photo.card.querySelector(".message").textContent = `No labels: ${error.message}.`;
  }
}

async function ask(photo) {
  for (let i = 0; ; i += 1) {
    let response;
    try {
      response = await fetch("label", { method: "POST", body: photo.blob, headers: { "Content-Type": "application/octet-stream" } });
    } catch {
      throw new Error("the server does not answer");
    }
    if (response.ok) return response.json();
    if (response.status !== 503 || i + 1 === TRIES) {
      const problem = await response.json().catch(() => ({ error: `the server says ${response.status}` }));
      throw new Error(problem.error);
    }
    photo.card.querySelector(".message").textContent = "The server is busy; trying again …";
    await new Promise((resolve) => { setTimeout(resolve, 1000 * (Number(response.headers.get("Retry-After")) || 1)); });
  }
}

// ---- showing the answer

function showFaces(photo, image) {
  const { card, answer } = photo;
  const list = card.querySelector(".faces");
  card.querySelector(".message").textContent = answer.faces.length
    ? `${count(answer.faces.length, "face")}` : "No face found.";
  card.classList.toggle("wide", answer.faces.length > 2 || image.width > 1.6 * image.height);
  const canvas = card.querySelector("canvas");
  const shrink = Math.min(1, (photos.length > MANY ? 500 : 1400) / Math.max(image.width, image.height));
  canvas.width = Math.round(image.width * shrink);
  canvas.height = Math.round(image.height * shrink);
  canvas.setAttribute("aria-label", `${photo.name} with ${count(answer.faces.length, "face")} in boxes`);
  let latest = -1;
  const redraw = async (chosen) => {
    if (chosen === latest) return;
    latest = chosen;
    const again = await pictureOf(photo);
    if (chosen === latest) drawBoxes(canvas, again, answer, chosen);
  };
  const items = answer.faces.map((face, i) => faceItem(face, i, redraw));
  list.replaceChildren(...items);
  drawBoxes(canvas, image, answer, -1);
  canvas.addEventListener("mousemove", (event) => {
    const at = faceAt(canvas, answer, event);
    items.forEach((item, i) => item.classList.toggle("chosen", i === at));
    redraw(at);
  });
  canvas.addEventListener("mouseleave", () => { items.forEach((item) => item.classList.remove("chosen")); redraw(-1); });
  canvas.addEventListener("click", (event) => items[faceAt(canvas, answer, event)]?.focus());
}

function faceAt(canvas, answer, event) {
  const bounds = canvas.getBoundingClientRect();
  const x = ((event.clientX - bounds.left) / bounds.width) * answer.width;
  const y = ((event.clientY - bounds.top) / bounds.height) * answer.height;
  return answer.faces.findIndex(({ box: [x0, y0, x1, y1] }) => x >= x0 && x < x1 && y >= y0 && y < y1);
}

async function pictureOf(photo) {  // of the photo that is looked at alone: all of them would fill the memory
  if (looked.photo !== photo) looked = { photo, picture: createImageBitmap(photo.blob) };
  return looked.picture;
}

function drawBoxes(canvas, image, answer, chosen) {
  const context = canvas.getContext("2d");
  const scale = canvas.width / answer.width;
  const unit = Math.max(canvas.width, canvas.height) / 700;  // so that lines and words are as large in every photo
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  answer.faces.forEach((face, i) => {
    const [x0, y0, x1, y1] = face.box.map((side) => side * scale);
    context.globalAlpha = chosen < 0 || chosen === i ? 1 : 0.35;
    context.strokeStyle = COLORS[i % COLORS.length];
    context.fillStyle = COLORS[i % COLORS.length];
    context.lineWidth = (chosen === i ? 5 : 3) * unit;
    context.beginPath();
    context.roundRect(x0, y0, x1 - x0, y1 - y0, 6 * unit);
    context.stroke();
    if (chosen === i) for (const [x, y] of face.landmarks || []) {
      context.beginPath();
      context.arc(x * scale, y * scale, 3 * unit, 0, 7);
      context.fill();
    }
    const size = Math.min(13 * unit, Math.max(10 * unit, (x1 - x0) / 12));
    context.font = `600 ${size}px system-ui, sans-serif`;
    const high = size * 1.6, y = y0 >= high ? y0 - high : Math.min(y1, canvas.height - high);
    const place = (words) => {
      const wide = context.measureText(words).width + size;
      return { words, wide, x: Math.max(0, Math.min(x0, canvas.width - wide)) };
    };
    const isFree = ({ x, wide }) => answer.faces.every(({ box }, j) => {
      const [left, top, right, bottom] = box.map((side) => side * scale);
      return i === j || x + wide <= left || x >= right || y + high <= top - high || y >= bottom;
    });
    const whole = place(`${i + 1}  ${Object.values(face.labels).map(read).join(" · ")}`);
    const { words, wide, x } = chosen === i || isFree(whole) ? whole : place(String(i + 1));
    context.beginPath();
    context.roundRect(x, y, wide, high, 5 * unit);
    context.fill();
    context.fillStyle = "#fff";
    context.textBaseline = "middle";
    context.fillText(words, x + size / 2, y + high / 2);
  });
  context.globalAlpha = 1;
}

function faceItem(face, i, redraw) {
  const item = $("face").content.firstElementChild.cloneNode(true);
  item.style.setProperty("--color", COLORS[i % COLORS.length]);
  item.setAttribute("aria-label", `Face ${i + 1}: ${Object.values(face.labels).map(read).join(", ")}`);
  item.querySelector(".found").textContent = [`Face ${i + 1}`, FOUND[face.found]].filter(Boolean).join(" · ");
  item.querySelector("dl").append(...Object.entries(face.probabilities).map(([attribute, values]) => {
    const row = element("div");
    const values_ = element("dd");
    for (const [value, share] of Object.entries(values)) values_.append(valueRow(value, share, value === face.labels[attribute]));
    row.append(element("dt", "", attribute), values_);
    return row;
  }));
  for (const [on, off] of [["focus", "blur"], ["mouseenter", "mouseleave"]]) {
    item.addEventListener(on, () => { item.classList.add("chosen"); redraw(i); });
    item.addEventListener(off, () => { item.classList.remove("chosen"); redraw(-1); });
  }
  return item;
}

function valueRow(value, share, isLabel) {
  const row = element("div", isLabel ? "value label" : "value");
  const track = element("div", "track"), fill = element("div", "fill");
  fill.style.width = `${share * 100}%`;
  track.append(fill);
  row.append(element("span", "", read(value)), track, element("span", "share", `${Math.round(share * 100)}%`));
  return row;
}

function element(tag, classes = "", words = "") {
  const out = document.createElement(tag);
  out.className = classes;
  out.textContent = words;
  return out;
}

const read = (value) => VALUES[value] || value.replaceAll("_", " ");
const count = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

function showStatus() {
  const done = photos.filter((photo) => photo.answer || photo.error).length;
  const bad = photos.filter((photo) => photo.error).length;
  const faces = photos.reduce((sum, photo) => sum + (photo.answer?.faces.length || 0), 0);
  const parts = [done < photos.length ? `${done} of ${count(photos.length, "photo")} …` : count(photos.length, "photo"),
    count(faces, "face")];
  if (bad) parts.push(`${bad} not labelled`);
  if (done > 4) parts.push(`${(done / ((performance.now() - began) / 1000)).toFixed(1)} photos/s`);
  if (sending || waiting.length || !photos.length) $("status").textContent = photos.length ? parts.join(", ") : "";
  else $("status").textContent = parts.slice(0, bad ? 3 : 2).join(", ");
  $("bar").hidden = !photos.length;
}

// ---- saving the labels

function table() {
  const attributes = Object.keys(photos.find((photo) => photo.answer?.faces.length)?.answer.faces[0].labels || {});
  const rows = [["photo", "face", "found", "x0", "y0", "x1", "y1", "class", ...attributes, ...attributes.map((a) => `p_${a}`), "error"]];
  for (const photo of photos) {
    const faces = photo.answer?.faces || [];
    if (!faces.length) rows.push([photo.name, ...Array(7 + 2 * attributes.length).fill(""), photo.error || (photo.answer ? "no face" : "waiting")]);
    faces.forEach((face, i) => rows.push([photo.name, i, face.found, ...face.box, face.class, ...Object.values(face.labels),
      ...attributes.map((a) => face.probabilities[a][face.labels[a]].toFixed(4)), ""]));
  }
  const disarmed = (value) => (/^'*([=@\t\r\n]|[+-](?!(\d+(\.\d+)?)?$))/.test(value) ? `'${value}` : String(value)); // a spreadsheet runs nothing
  const cell = (value) => (/[",\r\n]/.test(disarmed(value)) ? `"${disarmed(value).replaceAll('"', '""')}"` : disarmed(value));
  return rows.map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([table()], { type: "text/csv" }));
  link.download = "labels.csv";
  link.click();
  URL.revokeObjectURL(link.href);
}

// ---- the camera

let stream = null;

async function openCamera() {
  if (!navigator.mediaDevices) return say("The camera works at https:// addresses and on this machine alone.");
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } });
  } catch (error) {
    return say(`The camera cannot be used: ${error.message.toLowerCase()}.`);
  }
  $("video").srcObject = stream;
  await $("video").play();
  $("viewfinder").hidden = false;
  $("shoot").focus();
}

function closeCamera() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  $("viewfinder").hidden = true;
  $("camera").focus();
}

function shoot() {
  const canvas = document.createElement("canvas");
  canvas.width = $("video").videoWidth;
  canvas.height = $("video").videoHeight;
  canvas.getContext("2d").drawImage($("video"), 0, 0);
  canvas.toBlob((blob) => add([new File([blob], `camera ${new Date().toLocaleTimeString()}`)]), "image/jpeg", 0.95);
}

function say(words) {
  $("status").textContent = words;
  $("bar").hidden = false;
}

// ---- where things come from

$("files").addEventListener("change", (event) => { add([...event.target.files]); event.target.value = ""; });
$("camera").addEventListener("click", openCamera);
$("shoot").addEventListener("click", shoot);
$("stop").addEventListener("click", closeCamera);
$("save").addEventListener("click", save);
$("clear").addEventListener("click", () => { [...photos].forEach(remove); });
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && stream) closeCamera(); });
document.addEventListener("paste", (event) => add([...event.clipboardData.files]));
for (const type of ["dragover", "drop"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", type === "dragover");
    if (type === "drop") add([...event.dataTransfer.files]);
  });
}
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) $("drop").classList.remove("over"); });

$("curl").textContent = `curl --data-binary @photo.jpg ${new URL("label", location.href)}`;
fetch("bundle").then((response) => response.json()).then((bundle) => {
  const [low, high] = (bundle.interval || []).map((f1) => f1.toFixed(2));
  const score = bundle.interval ? `macro F1 ${bundle.f1.toFixed(2)} (${low} to ${high})` : "macro F1 unknown";
  $("origin").textContent = `Labels by ${bundle.name}${bundle.revision ? `, revision ${bundle.revision.slice(0, 7)}` : ""}: `
    + `${score} over ${Object.values(bundle.classes).reduce((n, values) => n * values.length, 1)} `
    + `classes on ${bundle.people} people that it did not learn from`
    + (bundle.licence ? `. Licence of its training photos: ${bundle.licence}` : "") + ".";
  $("limits").textContent = `JPEG, PNG, WebP or BMP, up to ${bundle.megabytes} MB and ${bundle.megapixels} megapixels. `
    + "Photos go to this server only, which keeps none.";
}).catch(() => say("The server does not answer; load the page again."));
