// The page of the chat: what the browser gets, as text.

const raw = String.raw;

export const html = raw`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Rooms</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/chat.css">
</head>
<body>
  <main id="door">
    <form id="enter">
      <h1>Rooms</h1>
      <p class="hint">Pick a name and a room. A room that is not there yet is made.</p>
      <label for="name">Your name</label>
      <input id="name" name="name" maxlength="32" autocomplete="nickname" required autofocus>
      <label for="room">Room</label>
      <input id="room" name="room" maxlength="64" pattern="[\-\w]+" title="Letters, digits, - and _" value="harbour" required>
      <button>Enter</button>
    </form>
  </main>

  <div id="chat" hidden>
    <header>
      <h1><span aria-hidden="true">#</span><span id="here"></span></h1>
      <p id="status" role="status"></p>
      <button id="leave" type="button" class="quiet">Leave</button>
    </header>
    <aside aria-labelledby="who">
      <h2 id="who">In the room</h2>
      <div id="people"></div>
    </aside>
    <main>
      <ol id="log" role="log" aria-live="polite" aria-label="Messages" tabindex="0"></ol>
      <form id="speak">
        <label class="unseen" for="to">To</label>
        <select id="to">
          <option value="all">Everyone</option>
          <option value="table">My table</option>
        </select>
        <label class="unseen" for="text">Message</label>
        <input id="text" maxlength="2000" autocomplete="off" placeholder="Message" required>
        <button>Send</button>
      </form>
      <p class="hint keys"><kbd>Enter</kbd> sends, <kbd>Esc</kbd> speaks to everyone again, <kbd>/w name</kbd> whispers.</p>
    </main>
  </div>
  <script src="/chat.js"></script>
</body>
</html>
`;

export const style = raw`
:root {
  color-scheme: light dark;
  --paper: #f6f5f1; --card: #ffffff; --ink: #1f2328; --soft: #5c6670; --line: #dcdad3; --edge: #85898c;
  --accent: #0b6b5d; --on-accent: #ffffff; --mine: #e3f1ee; --whisper: #f7ecd8; --warn: #9a3412;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --card: #1d2125; --ink: #e7e9ea; --soft: #9da7b0; --line: #333a41; --edge: #737d86;
    --accent: #5bc8b3; --on-accent: #0b1f1b; --mine: #1b332f; --whisper: #3a2f1b; --warn: #fdba74;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1, h2, p, ol { margin: 0; }
h1 { font-size: 1.25rem; }
h2 { font-size: .8rem; font-weight: 600; color: var(--soft); }
.hint { color: var(--soft); font-size: .875rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
input, select, button { font: inherit; color: inherit; min-height: 2.75rem; padding: .4rem .8rem; border: 1px solid var(--edge); border-radius: .6rem; background: var(--card); }
button { cursor: pointer; border-color: transparent; background: var(--accent); color: var(--on-accent); font-weight: 600; }
::placeholder { color: var(--soft); opacity: 1; }
button.quiet { background: none; border-color: var(--edge); color: var(--ink); font-weight: 400; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }

#door { min-height: 100vh; display: grid; place-items: center; padding: 1rem; }
#enter { display: grid; gap: .5rem; width: min(24rem, 100%); padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: 1rem; }
#enter h1 { font-size: 1.75rem; }
#enter label { margin-top: .5rem; font-weight: 600; font-size: .9rem; }
#enter button { margin-top: 1rem; }

#chat { height: 100vh; height: 100dvh; display: grid; grid-template: auto 1fr / 15rem 1fr; }
header { grid-column: 1 / -1; display: flex; align-items: center; gap: 1rem; padding: .6rem 1rem; background: var(--card); border-bottom: 1px solid var(--line); }
header h1 span:first-child { color: var(--soft); margin-right: .1rem; }
#status { flex: 1; color: var(--soft); font-size: .9rem; }
#status.away { color: var(--warn); font-weight: 600; }
aside { padding: 1rem; border-right: 1px solid var(--line); overflow: auto; }
.table { margin-top: .75rem; padding: .5rem; background: var(--card); border: 1px solid var(--line); border-radius: .8rem; }
.table h3 { margin: 0 .4rem .2rem; font-size: .75rem; font-weight: 400; color: var(--soft); }
.table ul { list-style: none; margin: 0; padding: 0; }
.person { display: flex; align-items: center; gap: .5rem; width: 100%; min-height: 2.25rem; padding: .2rem .4rem; background: none; color: var(--ink); font-weight: 400; text-align: left; }
.person:hover:not(:disabled) { background: var(--paper); }
.person:disabled { cursor: default; }
.dot { flex: none; width: .7rem; height: .7rem; border-radius: 50%; }
.person .name, .from { overflow-wrap: anywhere; }

#chat > main { display: grid; grid-template-rows: 1fr auto auto; min-height: 0; padding: 0 1rem .6rem; }
#log { list-style: none; padding: 1rem 0; overflow: auto; display: flex; flex-direction: column; gap: .5rem; }
#log li { max-width: min(42rem, 85%); align-self: start; padding: .45rem .8rem; background: var(--card); border: 1px solid var(--line); border-radius: .2rem .9rem .9rem .9rem; overflow-wrap: anywhere; }
#log li.mine { align-self: end; background: var(--mine); border-radius: .9rem .2rem .9rem .9rem; }
#log li.whisper { background: var(--whisper); }
#log li.note { align-self: center; background: none; border: 0; padding: 0; color: var(--soft); font-size: .875rem; }
.meta { display: flex; flex-wrap: wrap; gap: .5rem; font-size: .8rem; color: var(--soft); }
.from { font-weight: 600; color: var(--ink); }
#speak { display: grid; grid-template-columns: auto 1fr auto; gap: .5rem; padding: .5rem 0; }
#to { max-width: 12rem; }
.keys { font-size: .8rem; }
kbd { font: inherit; padding: 0 .3rem; border: 1px solid var(--line); border-radius: .3rem; background: var(--card); }

@media (max-width: 40rem) {
  #chat { grid-template: auto auto 1fr / 1fr; }
  aside { border-right: 0; border-bottom: 1px solid var(--line); padding: .5rem 1rem; max-height: 11rem; }
  #people { display: flex; gap: .5rem; }
  .table { margin-top: .3rem; min-width: 9rem; }
  #speak { grid-template-columns: 1fr auto; }
  #to { grid-column: 1 / -1; max-width: none; }
  .keys { display: none; }
}
`;

export const script = raw`"use strict";

// Waits before the connection is tried again: doubled each time from the first to the last.
const RETRY_FIRST_MS = 250;
const RETRY_LAST_MS = 5000;
const MESSAGES_SHOWN = 500;

const el = (id) => document.getElementById(id);
const make = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text ?? "" });

let me;                    // { id, name, table }
let room;
let socket;
let retry = RETRY_FIRST_MS;
let people = new Map();    // id -> person

// The id stays with the tab, so that a reload or a reconnection is the same person.
function myId() {
  let id = sessionStorage.getItem("id");
  if (!id) {
    id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("id", id);
  }
  return id;
}

function enter(name, where) {
  me = { id: myId(), name };
  room = where;
  sessionStorage.setItem("name", name);
  history.replaceState(null, "", "#" + room);
  document.title = "#" + room;
  el("here").textContent = room;
  el("door").hidden = true;
  el("chat").hidden = false;
  el("text").focus();
  connect();
}

function connect() {
  status("Connecting…", true);
  const url = new URL("/rooms/" + room + "?id=" + me.id, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const opened = new WebSocket(url);
  socket = opened;
  opened.onopen = () => opened.send(JSON.stringify({ name: me.name }));
  opened.onmessage = ({ data }) => hear(JSON.parse(data));
  opened.onclose = ({ code, reason }) => {
    if (socket !== opened) return;
    if (code === 4000) return status(reason, true);
    status("Connection lost. Trying again…", true);
    setTimeout(() => { if (socket === opened) connect(); }, retry * (0.75 + Math.random() / 2));
    retry = Math.min(RETRY_LAST_MS, retry * 2);
  };
}

function hear(message) {
  switch (message.type) {
    case "welcome":
      me = message.me;
      retry = RETRY_FIRST_MS;
      people = new Map(message.people.map((person) => [person.id, person]));
      status("Connected as " + me.name, false);
      return showPeople();
    case "join":
      if (!people.has(message.person.id)) note(message.person.name + " came in");
      people.set(message.person.id, message.person);
      return showPeople();
    case "leave":
      if (people.delete(message.person.id)) note(message.person.name + " left");
      return showPeople();
    case "say":
      return say(message);
  }
}

function status(text, away) {
  el("status").textContent = text;
  el("status").classList.toggle("away", away);
}

function colour(id) {
  return "hsl(" + (parseInt(id.slice(0, 4), 16) % 360) + " 55% 50%)";
}

function showPeople() {
  const tables = new Map([[me.table, []]]);
  for (const person of people.values()) {
    if (!tables.has(person.table)) tables.set(person.table, []);
    tables.get(person.table).push(person);
  }
  const focused = document.activeElement && document.activeElement.dataset.id;
  el("people").replaceChildren(...[...tables].map(([table, seated]) => {
    const box = make("section", "table");
    const list = make("ul", "");
    for (const person of seated.sort((a, b) => a.name.localeCompare(b.name))) {
      const button = make("button", "person");
      const dot = make("span", "dot");
      dot.style.background = colour(person.id);
      button.type = "button";
      button.dataset.id = person.id;
      button.disabled = person.id === me.id;
      button.append(dot, make("span", "name", person.name + (person.id === me.id ? " (you)" : "")));
      if (!button.disabled) button.title = "Whisper to " + person.name;
      button.onclick = () => address(person.id);
      const item = make("li", "");
      item.append(button);
      list.append(item);
    }
    box.append(make("h3", "", "Table " + table + (table === me.table ? ", yours" : "")), list);
    return box;
  }));
  const again = focused && el("people").querySelector('[data-id="' + focused + '"]');
  if (again) again.focus();
  showTargets();
}

function showTargets() {
  const { value } = el("to");
  for (const option of [...el("to").options].slice(2)) option.remove();
  for (const person of people.values()) {
    if (person.id !== me.id) el("to").append(new Option("Whisper to " + person.name, person.id));
  }
  el("to").value = value;
  if (el("to").selectedIndex === -1) el("to").value = "all";
}

function address(id) {
  el("to").value = id;
  el("text").focus();
}

function say({ from, to, text, at }) {
  const mine = from.id === me.id;
  const whisper = to !== "all" && to !== "table";
  const item = make("li", (mine ? "mine " : "") + (whisper ? "whisper" : ""));
  const meta = make("div", "meta");
  const target = whisper ? (mine ? "whispered to " + (people.get(to) ? people.get(to).name : "someone who left") : "whispers to you") : to === "table" ? "to the table" : "";
  const time = make("time", "", new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = new Date(at).toISOString();
  meta.append(make("span", "from", mine ? "You" : from.name), time);
  if (target) meta.append(make("span", "", target));
  item.append(meta, make("div", "text", text));
  append(item);
}

function note(text) {
  append(make("li", "note", text));
}

function append(item) {
  const log = el("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(item);
  while (log.children.length > MESSAGES_SHOWN) log.firstChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

el("enter").onsubmit = (event) => {
  event.preventDefault();
  enter(el("name").value.trim(), el("room").value);
};

el("speak").onsubmit = (event) => {
  event.preventDefault();
  let text = el("text").value.trim();
  let to = el("to").value;
  if (text.startsWith("/w ")) {
    // The longest name that fits: names may contain spaces.
    const rest = text.slice(3).trim();
    const [person] = [...people.values()].filter(({ id, name }) => id !== me.id && (rest + " ").toLowerCase().startsWith(name.toLowerCase() + " ")).sort((a, b) => b.name.length - a.name.length);
    if (!person) return status("Nobody here has that name.", true);
    to = person.id;
    text = rest.slice(person.name.length).trim();
  }
  if (text === "") return;
  if (!socket || socket.readyState !== WebSocket.OPEN) return status("Not connected: your message is still here.", true);
  socket.send(JSON.stringify({ to, text }));
  el("text").value = "";
};

el("speak").onkeydown = (event) => {
  if (event.key === "Escape") address("all");
};

el("leave").onclick = () => {
  const left = socket;
  socket = undefined;
  left.close(1000);
  people.clear();
  el("log").replaceChildren();
  el("chat").hidden = true;
  el("door").hidden = false;
  document.title = "Rooms";
  history.replaceState(null, "", "/");
  el("name").focus();
};

// The newest message stays in sight when the window or the keyboard of a phone takes room.
new ResizeObserver(() => { el("log").scrollTop = el("log").scrollHeight; }).observe(el("log"));

el("name").value = sessionStorage.getItem("name") || "";
if (location.hash.length > 1) el("room").value = decodeURIComponent(location.hash.slice(1));
// A reload comes back to the room.
if (sessionStorage.getItem("name") && sessionStorage.getItem("id") && /^#[\w-]+$/.test(location.hash)) enter(el("name").value, el("room").value);
`;
