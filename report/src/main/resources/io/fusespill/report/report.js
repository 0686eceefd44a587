"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const json = (id) => JSON.parse($(id).textContent);

  // ---------------------------------------------------------------- theme and navigation

  const root = document.documentElement;
  const darkScheme = matchMedia("(prefers-color-scheme: dark)");
  let repaint = () => {};
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : darkScheme.matches;

  /** Unpacks the figures of the dark theme when they are first wanted. */
  async function figures() {
    if (!isDark()) return root.classList.remove("dark-figures");
    for (const place of document.querySelectorAll(".on-dark:empty")) {
      const bytes = await inflate(place.dataset.svg);
      place.innerHTML = new TextDecoder().decode(bytes);
    }
    root.classList.toggle("dark-figures", isDark());
  }
  for (const radio of document.querySelectorAll("input[name=theme]")) {
    radio.addEventListener("change", () => {
      if (radio.value === "auto") delete root.dataset.theme;
      else root.dataset.theme = radio.value;
      figures();
      repaint();
    });
  }
  darkScheme.addEventListener("change", () => {
    figures();
    repaint();
  });
  figures();

  const links = [...document.querySelectorAll("nav a[href^='#']")];
  const seen = new Map();
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) seen.set(entry.target.id, entry.isIntersecting);
    const current = links.find((link) => seen.get(link.hash.slice(1)));
    for (const link of links) link.setAttribute("aria-current", String(link === current));
  }, { rootMargin: "-10% 0px -60% 0px" });
  for (const link of links) {
    const section = $(link.hash.slice(1));
    if (section) watcher.observe(section);
  }

  // ---------------------------------------------------------------- words and numbers

  const words = json("words");
  const grouped = new Intl.NumberFormat("en-US");
  const count = (n, noun) => `${grouped.format(n)} ${noun}${n === 1 ? "" : "s"}`;
  const fixed = (n, digits) => n.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  /** A duration of so many microseconds. */
  const span = (micros) =>
    micros < 1000 ? `${fixed(micros, 0)} µs`
      : micros < 1e6 ? `${fixed(micros / 1e3, micros < 1e5 ? 1 : 0)} ms`
        : `${fixed(micros / 1e6, micros < 1e8 ? 3 : 1)} s`;
  const millis = (micros) => fixed(micros / 1e3, micros === 0 ? 0 : micros < 1e3 ? 3 : micros < 1e5 ? 1 : 0);
  const clock = (micros) => `${fixed(micros / 1e6, 3)} s`;

  function element(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === "onclick") node.addEventListener("click", value);
      else node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  }

  function facts(pairs) {
    const list = element("dl");
    for (const [name, value] of pairs) {
      if (value !== null) list.append(element("dt", null, name), element("dd", null, value));
    }
    return list;
  }

  // ---------------------------------------------------------------- data

  async function inflate(text) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  /** Reads columns in the order in which they were written. */
  class Columns {
    constructor(bytes) { this.bytes = bytes; this.at = 0; }
    unsigned() {
      let value = 0, scale = 1, byte;
      do {
        byte = this.bytes[this.at++];
        value += (byte & 127) * scale;
        scale *= 128;
      } while (byte & 128);
      return value;
    }
    next() {
      const values = new Float64Array(this.unsigned());
      for (let i = 0; i < values.length; i++) {
        const code = this.unsigned();
        values[i] = code % 2 ? -(code + 1) / 2 : code / 2;
      }
      return values;
    }
    deltas() {
      const values = this.next();
      for (let i = 1; i < values.length; i++) values[i] += values[i - 1];
      return values;
    }
    spans(marks, amounts) {
      const from = this.next(), until = this.deltas(), paused = this.next(), counts = this.next();
      let end = 0;
      for (let i = 0; i < from.length; i++) {
        from[i] += end;
        until[i] += from[i];
        end = until[i];
      }
      const track = { length: from.length, from, until, paused, counts, first: new Float64Array(from.length) };
      for (let i = 1; i < from.length; i++) track.first[i] = track.first[i - 1] + counts[i - 1];
      for (const name of marks) track[name] = this.next();
      for (const name of amounts) track[name] = this.deltas();
      return track;
    }
    level() { return { times: tenths(this.deltas()), values: this.deltas() }; }
  }

  /** Tenths of a millisecond as microseconds; what never came stays -1. */
  const tenths = (values) => values.map((value) => value < 0 ? value : value * 100);

  const WAITING = 0, PREFILL = 1, DECODE = 2, RESTING = 3, MOVING = 4;

  async function load(index) {
    const names = json(`timeline-names-${index}`);
    const columns = new Columns(await inflate($(`timeline-${index}`).textContent.trim()));
    const run = { ...names, index, choicesMade: names.choices };
    run.steps = names.places.map(() =>
      columns.spans(["kind", "failed"], ["prefills", "prefillTokens", "decodes", "remote", "freeBlocks"]));
    run.transfers = names.links.map(() => columns.spans(["kind", "sequence", "failed"], ["blocks", "moved", "queued"]));
    run.levels = names.places.map(() => ({ used: columns.level(), leaving: columns.level(), residents: columns.level() }));
    run.waiting = columns.level();
    const lives = { id: columns.deltas(), request: columns.deltas(), arrival: tenths(columns.deltas()) };
    for (const name of ["prompt", "output", "first", "ending", "spans", "phase", "duration", "tokens", "preemptions", "preemptedAt", "preemptedHow"]) {
      lives[name] = columns.next();
    }
    for (const name of ["first", "duration", "preemptedAt"]) lives[name] = tenths(lives[name]);
    index_(lives);
    run.lives = lives;
    const rows = {};
    ["position", "at", "sequence", "device", "blocks", "believed", "output", "remaining", "fate", "carriedOut", "copy", "away", "elsewhere", "recomputed", "chosen", "estimates"]
      .forEach((name, i) => { rows[name] = i < 2 ? columns.deltas() : columns.next(); });
    for (const name of ["at", "copy", "away"]) rows[name] = tenths(rows[name]);
    const estimates = { handling: columns.next(), place: columns.next(), lost: columns.next(), free: tenths(columns.next()) };
    run.choices = choices(rows, estimates);
    run.ofSequence = new Map();
    for (const choice of run.choices) {
      if (!run.ofSequence.has(choice.sequence)) run.ofSequence.set(choice.sequence, []);
      run.ofSequence.get(choice.sequence).push(choice);
    }
    run.preemptions = preemptions(lives);
    run.rowsMax = Math.max(1, ...run.steps.map((track) => largest(track, (i) => (track.prefills[i] + track.decodes[i]) / track.counts[i])));
    run.waitingMax = Math.max(1, largest(run.waiting.values, (i) => run.waiting.values[i]));
    return run;
  }

  function largest(list, of) {
    let most = 0;
    for (let i = 0; i < list.length; i++) most = Math.max(most, of(i));
    return most;
  }

  /** Where each life's spans begin, when they begin and end, and when it was first served. */
  function index_(lives) {
    const n = lives.id.length;
    lives.length = n;
    lives.firstSpan = new Int32Array(n + 1);
    lives.firstPreemption = new Int32Array(n + 1);
    lives.start = new Float64Array(lives.phase.length);
    lives.served = new Float64Array(n);
    lives.end = new Float64Array(n);
    for (let i = 0, s = 0, p = 0; i < n; i++) {
      let at = lives.arrival[i];
      lives.served[i] = Infinity;
      for (let k = 0; k < lives.spans[i]; k++, s++) {
        lives.start[s] = at;
        if ((lives.phase[s] & 7) !== WAITING && lives.served[i] === Infinity) lives.served[i] = at;
        at += lives.duration[s];
      }
      lives.end[i] = at;
      lives.firstSpan[i + 1] = s;
      for (let k = 0; k < lives.preemptions[i]; k++, p++) lives.preemptedAt[p] += lives.arrival[i];
      lives.firstPreemption[i + 1] = p;
    }
  }

  function choices(rows, estimates) {
    const all = [];
    for (let i = 0, e = 0; i < rows.position.length; i++) {
      const choice = { weighed: [] };
      for (const name in rows) if (name !== "estimates") choice[name] = rows[name][i];
      for (let k = 0; k < rows.estimates[i]; k++, e++) {
        choice.weighed.push({
          handling: words.handlings[estimates.handling[e]], place: estimates.place[e], lost: estimates.lost[e], free: estimates.free[e],
        });
      }
      choice.handling = choice.weighed[choice.chosen].handling;
      all.push(choice);
    }
    return all;
  }

  function preemptions(lives) {
    const all = [];
    for (let i = 0; i < lives.length; i++) {
      for (let p = lives.firstPreemption[i]; p < lives.firstPreemption[i + 1]; p++) {
        all.push({ at: lives.preemptedAt[p], sequence: lives.id[i], how: words.preemptions[lives.preemptedHow[p]] });
      }
    }
    return all.sort((a, b) => a.at - b.at);
  }

  /** Index of the last value that is at most `key`, or -1. */
  function before(values, key, length = values.length) {
    let low = -1, high = length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      if (values[mid] <= key) low = mid;
      else high = mid - 1;
    }
    return low;
  }

  const levelAt = (level, time) => {
    const i = before(level.times, time);
    return i < 0 ? 0 : level.values[i];
  };

  // ---------------------------------------------------------------- timeline

  const canvas = $("timeline-canvas");
  if (!canvas) return;
  const stage = canvas.parentElement, tip = $("timeline-tip"), hint = $("timeline-hint"), picked = $("timeline-picked");
  const pen = canvas.getContext("2d");
  const GUTTER = 156, RIGHT = 14, RULER = 26, OVERVIEW = 46, GAP = 10, LIVES = 340, LIVES_MIN_ROW = 2;
  const runs = new Map();
  let run = null, lanes = [], view = { from: 0, until: 1 }, width = 0, height = 0;
  let colors = {}, pinned = -1, marked = null, pointer = null, drag = null, awake = false, queued = false, shown = [];
  const stats = { draws: 0 };

  function readColors() {
    const style = getComputedStyle(root);
    const get = (name) => style.getPropertyValue(`--${name}`).trim();
    colors = Object.fromEntries(
      ["surface", "raised", "ink", "muted", "line", "accent", "waiting", "prefill", "decode", "decode-other", "attend", "resting", "moving", "used", "leaving", "failed", "bad"]
        .map((name) => [name, get(name)]));
    const handling = { recompute: "bad", swap: "moving", spill: "resting", "offload decode": "decode-other", "offload attention": "attend", stay: "muted" };
    colors.handling = (name) => colors[handling[name] || "muted"];
  }

  function phaseColor(code) {
    const phase = code & 7, place = run.places[(code >> 3) - 1];
    switch (phase) {
      case WAITING: return colors.waiting;
      case PREFILL: return colors.prefill;
      case DECODE: return !place.computes ? colors.attend : place === firstDevice() ? colors.decode : colors["decode-other"];
      case RESTING: return place && place.computes ? colors.used : colors.resting;
      default: return colors.moving;
    }
  }

  const firstDevice = () => run.places.find((place) => place.computes);

  function phaseName(code, tokens) {
    const place = (code >> 3) > 0 ? run.places[(code >> 3) - 1].name : "";
    switch (code & 7) {
      case WAITING: return "waiting";
      case PREFILL: return `prefill of ${count(tokens, "token")} on ${place}`;
      case DECODE: return `decode of ${count(tokens, "token")} on ${place}`;
      case RESTING: return `resting in ${place}`;
      default: return `moving ${count(tokens, "block")} to ${place}`;
    }
  }

  function layout() {
    lanes = [];
    let y = 0;
    const add = (kind, size, label, more = {}) => {
      lanes.push({ kind, y, height: size, label, ...more });
      y += size + GAP;
    };
    add("overview", OVERVIEW, "whole run");
    add("ruler", RULER, "");
    if (run.choices.length + run.preemptions.length > 0) {
      const all = run.choices.length === run.choicesMade;
      add("marks", all ? 22 : 32, run.choices.length > 0 ? "decisions" : "preemptions", {
        note: all ? "" : `${grouped.format(run.choices.length)} dearest of ${grouped.format(run.choicesMade)}`,
      });
    }
    run.places.forEach((place, id) => {
      if (place.computes) add("steps", 54, place.name, { id, note: "rows in a step" });
    });
    run.links.forEach((link, id) => {
      if (run.transfers[id].length > 0) add("link", 14, `${run.places[link.from].name} → ${run.places[link.to].name}`, { id });
    });
    const devices = run.places.filter((place) => place.computes).length;
    run.places.forEach((place, id) => {
      const used = run.levels[id].used.values, most = largest(used, (i) => used[i]);
      if (most === 0) return;
      const all = `of ${grouped.format(place.blocks)}`;
      add("kv", 48, place.computes && devices === 1 ? "KV blocks" : `KV in ${place.name}`, {
        id, scale: place.computes ? place.blocks : Math.min(place.blocks, 1.15 * most),
        note: place.computes ? all : `up to ${grouped.format(most)} ${all}`,
      });
    });
    add("waiting", 34, "waiting", { note: `up to ${grouped.format(run.waitingMax)}` });
    add("lives", LIVES, "sequences", { note: run.stride > 1 ? `1 in ${run.stride} of ${grouped.format(run.sequences)}` : grouped.format(run.sequences) });
    height = y;
  }

  function resize() {
    width = stage.clientWidth;
    const ratio = Math.max(1, devicePixelRatio || 1);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint();
  }

  const plot = () => Math.max(1, width - GUTTER - RIGHT);
  const x = (time) => GUTTER + (time - view.from) / (view.until - view.from) * plot();
  const timeAt = (px) => view.from + (px - GUTTER) / plot() * (view.until - view.from);
  const overviewX = (time) => GUTTER + time / run.end * plot();

  function show(from, until) {
    const least = Math.min(200, run.end), length = Math.min(Math.max(until - from, least), run.end);
    const start = Math.max(0, Math.min(from + (until - from - length) / 2, run.end - length));
    view = { from: start, until: start + length };
    $("timeline-window").textContent = `${clock(view.from)} to ${clock(view.until)}  (${span(length)})`;
    paint();
  }

  const zoom = (factor, center = (view.from + view.until) / 2) =>
    show(center - (center - view.from) * factor, center + (view.until - center) * factor);
  const pan = (share) => {
    const by = (view.until - view.from) * share;
    const move = by < 0 ? Math.max(by, -view.from) : Math.min(by, run.end - view.until);
    show(view.from + move, view.until + move);
  };

  function paint() {
    if (queued || !run) return;
    queued = true;
    requestAnimationFrame(() => { queued = false; draw(); });
  }
  repaint = () => { readColors(); paint(); };

  function draw() {
    stats.draws++;
    pen.clearRect(0, 0, width, height);
    pen.textBaseline = "middle";
    for (const lane of lanes) {
      pen.save();
      label(lane);
      if (lane.kind === "lives") rowNumbers(lane);
      if (lane.kind !== "marks" && lane.kind !== "ruler") {
        pen.beginPath();
        pen.rect(GUTTER, lane.y - 1, plot(), lane.height + 2);
        pen.clip();
      }
      painters[lane.kind](lane);
      pen.restore();
    }
    if (pointer && pointer.x > GUTTER && pointer.x < width - RIGHT && !drag) {
      pen.strokeStyle = colors.muted;
      pen.globalAlpha = 0.55;
      line(pointer.x, OVERVIEW + GAP, pointer.x, height - GAP);
      pen.globalAlpha = 1;
    }
    if (drag && drag.kind === "range") {
      pen.fillStyle = colors.accent;
      pen.globalAlpha = 0.18;
      pen.fillRect(Math.min(drag.x, pointer.x), OVERVIEW + GAP, Math.abs(pointer.x - drag.x), height - OVERVIEW - GAP);
      pen.globalAlpha = 1;
    }
  }

  function label(lane) {
    const left = lane.kind === "lives" ? 14 : null, edge = left || GUTTER - 12;
    pen.textAlign = left ? "left" : "right";
    pen.font = lane.kind === "link" ? "11px system-ui, sans-serif" : "600 12px system-ui, sans-serif";
    pen.fillStyle = lane.kind === "link" ? colors.muted : colors.ink;
    const middle = lane.y + (lane.kind === "lives" ? 10 : lane.height / 2);
    const twoLines = lane.note && lane.height > 28;
    fitted(lane.label, edge, middle - (twoLines ? 7 : 0), GUTTER - 18);
    if (twoLines) {
      pen.font = "11px system-ui, sans-serif";
      pen.fillStyle = colors.muted;
      fitted(lane.note, edge, middle + 8, GUTTER - (left ? 64 : 18));
    }
  }

  /** Numbers of the sequences beside their rows, where those are high enough. */
  function rowNumbers(lane) {
    const rows = visibleLives(), tall = Math.min(16, lane.height / Math.max(1, rows.length));
    if (tall < 11) return;
    pen.textAlign = "right";
    rows.forEach((i, row) => {
      const is = run.lives.id[i] === pinned;
      pen.font = is ? "700 10px system-ui, sans-serif" : "10px system-ui, sans-serif";
      pen.fillStyle = is ? colors.accent : colors.muted;
      pen.fillText(String(run.lives.id[i]), GUTTER - 8, lane.y + (row + 0.5) * tall);
    });
  }

  function fitted(text, px, py, room) {
    let short = text;
    while (short.length > 3 && pen.measureText(short).width > room) short = short.replace(/.…?$/u, "…").replace(/..…$/u, "…");
    pen.fillText(short, px, py);
  }

  function line(x1, y1, x2, y2) {
    pen.beginPath();
    pen.moveTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
    pen.lineTo(Math.round(x2) + 0.5, Math.round(y2) + 0.5);
    pen.stroke();
  }

  function floor(lane) {
    pen.fillStyle = colors.raised;
    pen.fillRect(GUTTER, lane.y, plot(), lane.height);
  }

  /** A level as an area: of each pixel its highest value. */
  function area(level, lane, most, from, until, toX) {
    const top = (value) => lane.y + lane.height - Math.min(1, value / most) * lane.height;
    let i = Math.max(0, before(level.times, from));
    if (level.times.length === 0) return;
    const base = lane.y + lane.height;
    pen.beginPath();
    pen.moveTo(toX(Math.max(from, level.times[i])), base);
    let value = level.values[i], column = -Infinity, peak = value;
    for (; i < level.times.length && level.times[i] <= until; i++) {
      const px = toX(Math.max(from, level.times[i]));
      if (px - column >= 1) {
        if (column > -Infinity) {
          const next = Math.min(column + 1, px);
          pen.lineTo(column, top(peak));
          pen.lineTo(next, top(peak));
          pen.lineTo(next, top(value));
          pen.lineTo(px, top(value));
        }
        column = px;
        peak = level.values[i];
      } else {
        peak = Math.max(peak, level.values[i]);
      }
      value = level.values[i];
    }
    const end = toX(until), next = Math.min(column + 1, end);
    pen.lineTo(column, top(peak));
    pen.lineTo(next, top(peak));
    pen.lineTo(next, top(value));
    pen.lineTo(end, top(value));
    pen.lineTo(end, base);
    pen.closePath();
    pen.fill();
  }

  const painters = {
    overview(lane) {
      floor(lane);
      const device = run.places.findIndex((place) => place.computes);
      pen.fillStyle = colors.used;
      area(run.levels[device].used, lane, run.places[device].blocks, 0, run.end, overviewX);
      pen.fillStyle = colors.waiting;
      pen.globalAlpha = 0.75;
      area(run.waiting, lane, run.waitingMax * 2.2, 0, run.end, overviewX);
      pen.globalAlpha = 1;
      const left = overviewX(view.from), right = Math.max(left + 3, overviewX(view.until));
      pen.fillStyle = colors.surface;
      pen.globalAlpha = 0.62;
      pen.fillRect(GUTTER, lane.y, left - GUTTER, lane.height);
      pen.fillRect(right, lane.y, width - RIGHT - right, lane.height);
      pen.globalAlpha = 1;
      pen.strokeStyle = colors.accent;
      pen.lineWidth = 2;
      pen.strokeRect(left + 1, lane.y + 1, Math.max(1, right - left - 2), lane.height - 2);
      pen.lineWidth = 1;
    },

    ruler(lane) {
      const step = tick((view.until - view.from) / Math.max(2, plot() / 110));
      pen.font = "11px system-ui, sans-serif";
      for (let t = Math.ceil(view.from / step) * step; t <= view.until; t += step) {
        pen.strokeStyle = colors.line;
        line(x(t), lane.y + lane.height - 5, x(t), lane.y + lane.height);
        pen.fillStyle = colors.muted;
        pen.textAlign = x(t) < GUTTER + 24 ? "left" : x(t) > width - RIGHT - 24 ? "right" : "center";
        pen.fillText(`${fixed(t / 1e6, Math.max(0, Math.min(6, 6 - Math.floor(Math.log10(step)))))} s`, x(t), lane.y + lane.height / 2 - 3);
      }
      pen.strokeStyle = colors.line;
      line(GUTTER, lane.y + lane.height, width - RIGHT, lane.y + lane.height);
    },

    marks(lane) {
      const all = run.choices.length > 0 ? run.choices : run.preemptions;
      shown = [];
      let last = null;
      for (let i = Math.max(0, before2(all, view.from)); i < all.length && all[i].at <= view.until; i++) {
        if (all[i].at < view.from) continue;
        const px = x(all[i].at);
        if (last && px - last.x < 8) {
          last.items.push(all[i]);
        } else {
          last = { x: px, items: [all[i]] };
          shown.push(last);
        }
      }
      for (const mark of shown) {
        const item = mark.items[0], lit = marked && mark.items.some((each) => each.position === marked.position);
        pen.fillStyle = item.handling ? colors.handling(item.handling) : colors.bad;
        const size = (lit ? 9 : 5) + Math.min(3, Math.log2(mark.items.length) * 0.7), y = lane.y + lane.height - 2;
        pen.beginPath();
        pen.moveTo(mark.x, y);
        pen.lineTo(mark.x - size * 0.72, y - size * 1.5);
        pen.lineTo(mark.x + size * 0.72, y - size * 1.5);
        pen.closePath();
        pen.fill();
        if (lit) {
          pen.strokeStyle = colors.ink;
          pen.stroke();
        }
      }
    },

    steps(lane) {
      floor(lane);
      const track = run.steps[lane.id];
      const unit = lane.height / run.rowsMax, base = lane.y + lane.height;
      const first = Math.max(0, before(track.from, view.from)), last = before(track.from, view.until);
      if (last - first > plot()) return binnedSteps(lane, track, first, last, unit, base);
      for (let i = first; i <= last; i++) {
        const left = x(track.from[i]), right = x(track.until[i]), wide = right - left - (right - left > 4 ? 1 : 0);
        let y = base;
        for (const [rows, color] of rowsOf(track, i)) {
          const tall = rows / track.counts[i] * unit;
          pen.fillStyle = track.failed[i] ? colors.failed : color;
          pen.fillRect(left, y - tall, Math.max(0.6, wide), tall);
          y -= tall;
        }
        if (wide > 74 && track.counts[i] === 1) {
          pen.fillStyle = colors.surface;
          pen.font = "600 11px system-ui, sans-serif";
          pen.textAlign = "center";
          const middle = (Math.max(left, GUTTER) + Math.min(right, width - RIGHT)) / 2;
          if (base - y > 16) pen.fillText(`${count(track.prefills[i] + track.decodes[i], "row")}`, middle, base - 10);
        }
      }
    },

    link(lane) {
      floor(lane);
      const track = run.transfers[lane.id];
      const first = Math.max(0, before(track.from, view.from)), last = before(track.from, view.until);
      pen.fillStyle = colors.moving;
      if (last - first > plot() * 2) {
        const busy = new Float64Array(Math.ceil(plot()) + 1);
        for (let i = first; i <= last; i++) spread(busy, track.from[i], track.until[i], 1 - track.paused[i] / Math.max(1, track.until[i] - track.from[i]));
        for (let column = 0; column < busy.length; column++) {
          const tall = busy[column] > 0 ? Math.max(1.5, Math.min(1, busy[column]) * lane.height) : 0;
          pen.fillRect(GUTTER + column, lane.y + lane.height - tall, 1, tall);
        }
        return;
      }
      for (let i = first; i <= last; i++) {
        const left = x(track.from[i]), right = x(track.until[i]);
        pen.fillStyle = track.failed[i] ? colors.failed : colors.moving;
        pen.globalAlpha = track.counts[i] > 1 ? 0.7 : 1;
        pen.fillRect(left, lane.y, Math.max(1, right - left), lane.height);
      }
      pen.globalAlpha = 1;
    },

    kv(lane) {
      floor(lane);
      const levels = run.levels[lane.id];
      pen.fillStyle = run.places[lane.id].computes ? colors.used : colors.resting;
      area(levels.used, lane, lane.scale, view.from, view.until, x);
      pen.fillStyle = colors.leaving;
      area(levels.leaving, lane, lane.scale, view.from, view.until, x);
    },

    waiting(lane) {
      floor(lane);
      pen.fillStyle = colors.waiting;
      area(run.waiting, lane, run.waitingMax, view.from, view.until, x);
    },

    lives(lane) {
      const rows = visibleLives();
      lane.rows = rows;
      const lives = run.lives, tall = Math.min(16, lane.height / Math.max(1, rows.length));
      lane.rowHeight = tall;
      const stride = Math.max(1, Math.floor(LIVES_MIN_ROW * 0.5 / tall));
      const thick = Math.max(tall > 4 ? tall - 1 : tall, tall * stride, 0.75);
      for (let r = 0; r < rows.length; r += stride) {
        const i = rows[r], y = lane.y + r * tall;
        if (lives.id[i] === pinned) {
          pen.fillStyle = colors.accent;
          pen.globalAlpha = 0.22;
          pen.fillRect(GUTTER, y - 2, plot(), thick + 4);
          pen.globalAlpha = 1;
        }
        for (let s = lives.firstSpan[i]; s < lives.firstSpan[i + 1]; s++) {
          const from = lives.start[s], until = from + lives.duration[s];
          if (until < view.from || from > view.until) continue;
          const left = Math.max(GUTTER, x(from)), right = Math.min(width - RIGHT, x(until)), phase = lives.phase[s] & 7;
          pen.fillStyle = phaseColor(lives.phase[s]);
          if (phase === WAITING && thick > 3) pen.fillRect(left, y + thick / 2 - 1, right - left, 2);
          else pen.fillRect(left, y, Math.max(0.5, right - left), thick);
        }
        for (const choice of tall >= 5 ? run.ofSequence.get(lives.id[i]) || [] : []) {
          if (choice.at < view.from || choice.at > view.until) continue;
          pen.fillStyle = colors.handling(choice.handling);
          pen.strokeStyle = colors.surface;
          pen.beginPath();
          pen.arc(x(choice.at), y + thick / 2, Math.min(4.5, thick / 2), 0, 7);
          pen.fill();
          pen.stroke();
        }
      }
      if (rows.length === 0) {
        pen.fillStyle = colors.muted;
        pen.textAlign = "center";
        pen.font = "13px system-ui, sans-serif";
        pen.fillText("no sequence is served here", GUTTER + plot() / 2, lane.y + 30);
      }
    },
  };

  const before2 = (items, time) => {
    let low = -1, high = items.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      if (items[mid].at <= time) low = mid;
      else high = mid - 1;
    }
    return low;
  };

  const rowsOf = (track, i) => [
    [track.decodes[i] - track.remote[i], colors.decode],
    [track.remote[i], colors.attend],
    [track.prefills[i], colors.prefill],
  ];

  /** Adds `amount` to each column of pixels, in proportion to how much of it the time covers. */
  function spread(columns, from, until, amount) {
    const a = Math.max(0, x(from) - GUTTER), b = Math.min(columns.length, x(until) - GUTTER);
    for (let column = Math.floor(a); column < b; column++) {
      columns[column] += amount * (Math.min(b, column + 1) - Math.max(a, column));
    }
  }

  function binnedSteps(lane, track, first, last, unit, base) {
    const size = Math.ceil(plot()) + 1;
    const local = new Float64Array(size), remote = new Float64Array(size), prefills = new Float64Array(size);
    for (let i = first; i <= last; i++) {
      const per = 1 / track.counts[i];
      spread(local, track.from[i], track.until[i], (track.decodes[i] - track.remote[i]) * per);
      if (track.remote[i] > 0) spread(remote, track.from[i], track.until[i], track.remote[i] * per);
      if (track.prefills[i] > 0) spread(prefills, track.from[i], track.until[i], track.prefills[i] * per);
    }
    for (let column = 0; column < size; column++) {
      let y = base;
      for (const [rows, color] of [[local[column], colors.decode], [remote[column], colors.attend], [prefills[column], colors.prefill]]) {
        pen.fillStyle = color;
        pen.fillRect(GUTTER + column, y - rows * unit, 1, rows * unit);
        y -= rows * unit;
      }
    }
  }

  function tick(rough) {
    const power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough);
  }

  /** Indices of the sequences of the view, oldest first. */
  function visibleLives() {
    const lives = run.lives, all = $("timeline-waiting").checked, rows = [];
    for (let i = 0; i < lives.length; i++) {
      const from = all ? lives.arrival[i] : lives.served[i];
      if (from < view.until && lives.end[i] > view.from) rows.push(i);
    }
    return rows;
  }

  // ---------------------------------------------------------------- what is under the pointer

  function laneAt(py) {
    return lanes.find((lane) => py >= lane.y - GAP / 2 && py < lane.y + lane.height + GAP / 2);
  }

  /** The sequence of this row, or of one within three pixels, that lives at this time; -1 for none. */
  function lifeAt(lane, py, time) {
    const rows = lane.rows || [], row = Math.floor((py - lane.y) / lane.rowHeight), reach = Math.ceil(3 / lane.rowHeight);
    for (let away = 0; away <= (lane.rowHeight < 4 ? reach : 0); away++) {
      for (const each of [row - away, row + away]) {
        const i = rows[each];
        if (i !== undefined && time >= run.lives.arrival[i] && time <= run.lives.end[i]) return i;
      }
    }
    return -1;
  }

  function find(px, py) {
    const lane = laneAt(py);
    if (!lane || px < GUTTER || px > width - RIGHT) return null;
    const time = timeAt(px);
    switch (lane.kind) {
      case "marks": {
        const mark = shown.filter((each) => Math.abs(each.x - px) < 9).sort((a, b) => Math.abs(a.x - px) - Math.abs(b.x - px))[0];
        return mark ? { kind: "mark", mark } : null;
      }
      case "steps":
      case "link": {
        const track = (lane.kind === "steps" ? run.steps : run.transfers)[lane.id], slack = (view.until - view.from) / plot() * 2;
        const i = before(track.from, time + slack);
        return i >= 0 && track.until[i] >= time - slack ? { kind: lane.kind, lane, track, i } : null;
      }
      case "kv": return { kind: "kv", lane, time };
      case "waiting": return { kind: "waiting", time };
      case "lives": {
        const i = lifeAt(lane, py, time);
        if (i < 0) return null;
        const near = (run.ofSequence.get(run.lives.id[i]) || []).find((choice) => Math.abs(x(choice.at) - px) < 6);
        if (near && lane.rowHeight >= 5) return { kind: "mark", mark: { items: [near] } };
        return { kind: "life", i, time };
      }
      default: return null;
    }
  }

  function describe(found) {
    switch (found.kind) {
      case "mark": {
        const { items } = found.mark, item = items[0];
        const more = items.length > 1 ? `and ${items.length - 1} more here: zoom in` : null;
        if (!item.handling) {
          return [`sequence ${item.sequence} preempted for ${item.how}`, facts([["at", clock(item.at)], ["", more]])];
        }
        const chosen = item.weighed[item.chosen];
        return [
          `${item.handling} chosen for sequence ${item.sequence}`,
          facts([
            ["at", clock(item.at)],
            ["estimated loss", `${millis(chosen.lost)} ms for ${grouped.format(item.blocks)} blocks`],
            ["weighed", count(item.weighed.length, "handling")],
            ["it", words.fates[item.fate]],
            ["", more],
          ]),
          "click for the explanation",
        ];
      }
      case "steps": {
        const { track, i } = found, n = track.counts[i], rows = track.prefills[i] + track.decodes[i];
        const kind = ["copies", "decode", "prefill", "mixed"][track.kind[i]] || "steps of several kinds";
        return [
          n === 1 ? `step ${grouped.format(track.first[i])}: ${kind}${track.failed[i] ? ", failed" : ""}` : `${count(n, "step")}, on average`,
          facts([
            ["took", n === 1 ? span(track.until[i] - track.from[i]) : span((track.until[i] - track.from[i] - track.paused[i]) / n)],
            ["rows", fixed(rows / n, n === 1 ? 0 : 1)],
            ["prefill tokens", track.prefillTokens[i] > 0 ? fixed(track.prefillTokens[i] / n, n === 1 ? 0 : 1) : null],
            ["attended for by a host", track.remote[i] > 0 ? fixed(track.remote[i] / n, n === 1 ? 0 : 1) : null],
            ["free blocks", fixed(track.freeBlocks[i] / n, n === 1 ? 0 : 1)],
            ["from", clock(track.from[i])],
          ]),
        ];
      }
      case "link": {
        const { track, i } = found, n = track.counts[i];
        return [
          n === 1 ? `${words.transfers[track.kind[i]]} of ${count(track.blocks[i], "block")}${track.failed[i] ? ", failed" : ""}` : `${count(n, "transfer")} of ${count(track.blocks[i], "block")}`,
          facts([
            ["sequence", n > 1 ? null : track.moved[i] === 1 ? String(track.sequence[i]) : `${track.sequence[i]} and ${track.moved[i] - 1} more`],
            ["took", span(track.until[i] - track.from[i] - track.paused[i])],
            ["queued", track.queued[i] > 0 ? span(track.queued[i] / n) : null],
            ["from", clock(track.from[i])],
          ]),
        ];
      }
      case "kv": {
        const levels = run.levels[found.lane.id], place = run.places[found.lane.id], used = levelAt(levels.used, found.time);
        return [
          `${grouped.format(used)} of ${grouped.format(place.blocks)} blocks in use`,
          facts([
            ["share", `${fixed(100 * used / place.blocks, 1)} %`],
            ["leaving", levelAt(levels.leaving, found.time) > 0 ? grouped.format(levelAt(levels.leaving, found.time)) : null],
            ["sequences", grouped.format(levelAt(levels.residents, found.time))],
            ["at", clock(found.time)],
          ]),
        ];
      }
      case "waiting": return [`${count(levelAt(run.waiting, found.time), "sequence")} waiting`, facts([["at", clock(found.time)]])];
      default: {
        const lives = run.lives, i = found.i;
        let s = lives.firstSpan[i];
        while (s < lives.firstSpan[i + 1] - 1 && lives.start[s] + lives.duration[s] <= found.time) s++;
        return [
          `sequence ${lives.id[i]}${lives.request[i] === lives.id[i] ? "" : ` of request ${lives.request[i]}`}`,
          facts([
            ["now", s < lives.firstSpan[i + 1] ? `${phaseName(lives.phase[s], lives.tokens[s])}, ${span(lives.duration[s])}` : null],
            ...life(i),
          ]),
          (run.ofSequence.get(lives.id[i]) || []).length > 0 ? "click to see its decisions" : null,
        ];
      }
    }
  }

  function life(i) {
    const lives = run.lives;
    return [
      ["tokens", `${grouped.format(lives.prompt[i])} prompt, ${grouped.format(lives.output[i])} output`],
      ["arrived", clock(lives.arrival[i])],
      ["TTFT", lives.first[i] < 0 ? null : span(lives.first[i])],
      ["preempted", lives.preemptions[i] > 0 ? `${grouped.format(lives.preemptions[i])} ×` : null],
      ["ended", lives.ending[i] === -1 ? "not before the journal does" : lives.ending[i] === -2 ? "rejected" : `${clock(lives.end[i])}, ${words.finishes[lives.ending[i]]}`],
    ];
  }

  function point() {
    const found = pointer && !drag ? find(pointer.x, pointer.y) : null;
    canvas.classList.toggle("pointing", Boolean(found && (found.kind === "mark" || found.kind === "life")));
    tip.classList.toggle("shown", Boolean(found));
    if (found) {
      const [title, list, act] = describe(found);
      tip.replaceChildren(element("strong", null, title), list, act ? element("div", { class: "act" }, act) : null || "");
      const left = pointer.x + 16 + tip.offsetWidth > width ? pointer.x - tip.offsetWidth - 12 : pointer.x + 16;
      const room = stage.getBoundingClientRect();
      const above = pointer.y + 18 + tip.offsetHeight > Math.min(height, innerHeight - room.top);
      tip.style.left = `${Math.max(2, left)}px`;
      tip.style.top = `${Math.max(2, above ? pointer.y - tip.offsetHeight - 12 : pointer.y + 18)}px`;
    }
    paint();
  }

  // ---------------------------------------------------------------- choosing and explaining

  function pin(sequence) {
    pinned = sequence;
    const i = before(run.lives.id, sequence);
    if (i < 0 || run.lives.id[i] !== sequence) {
      picked.replaceChildren();
      return paint();
    }
    const buttons = (run.ofSequence.get(sequence) || []).map((choice) =>
      element("li", null, element("button", { type: "button", onclick: () => explain(choice) }, `${choice.handling} at ${clock(choice.at)}`)));
    picked.replaceChildren(
      element("strong", null, `sequence ${sequence}`),
      facts(life(i)),
      buttons.length > 0 ? element("ul", { "aria-label": `decisions for sequence ${sequence}` }, ...buttons) : "",
    );
    paint();
  }

  const placeName = (id) => id < 0 ? "–" : run.places[id].name;

  function came(choice) {
    const parts = [];
    if (choice.carriedOut >= 0 && words.preemptions[choice.carriedOut] === "recompute" && choice.handling !== "recompute") parts.push("recomputed instead");
    if (choice.copy >= 0) parts.push(`copied in ${millis(choice.copy)} ms`);
    if (choice.elsewhere > 0) parts.push(`${count(choice.elsewhere, "token")} decoded elsewhere`);
    if (choice.recomputed > 0) parts.push(`${count(choice.recomputed, "token")} computed again`);
    parts.push(words.fates[choice.fate] + (choice.away >= 0 ? ` after ${fixed(choice.away / 1e6, 3)} s` : ""));
    return `${choice.remaining < 0 ? "its end is not known" : count(choice.remaining, "token")}; ${parts.join(", ")}`;
  }

  function card(choice) {
    const rows = choice.weighed.map((each, i) =>
      element("tr", i === choice.chosen ? { class: "chosen" } : null,
        element("td", null, each.handling), element("td", { class: "text" }, placeName(each.place)),
        element("td", null, millis(each.lost)), element("td", null, fixed(each.free / 1e6, 3)),
        element("td", null, fixed(1e3 * each.lost / each.free, 3))));
    const line_ = (name, text) => element("p", { class: "said" }, element("b", null, name), element("span", null, text));
    return [
      element("header", null,
        element("h3", { tabindex: "-1" }, `Sequence ${choice.sequence}: ${choice.handling} chosen for its ${count(choice.blocks, "block")} on ${placeName(choice.device)} after ${count(choice.output, "output token")}`),
        element("span", { class: "when" }, `${clock(choice.at)} · position ${grouped.format(choice.position)} · ${run.name}`)),
      element("div", { class: "scroll" }, element("table", null,
        element("thead", null, element("tr", null, ...["handling", "place", "lost ms", "free s", "ms lost per free s"].map((name, i) => element("th", { scope: "col", class: i < 2 ? "text" : "" }, name)))),
        element("tbody", null, ...rows))),
      line_("believed", `${count(choice.believed, "token")} to come`),
      line_("came", came(choice)),
      element("div", { class: "acts" }, element("button", { type: "button", class: "back", onclick: () => back(choice) }, "↑ Back to the timeline")),
    ];
  }

  function explain(choice) {
    marked = choice;
    const told = $(`choice-${run.index}-${choice.position}`);
    let target = told;
    if (!told) {
      target = $("explanation");
      target.hidden = false;
      target.replaceChildren(...card(choice));
    }
    for (const lit of document.querySelectorAll("article.lit")) lit.classList.remove("lit");
    target.classList.add("lit");
    target.scrollIntoView({ block: "center" });
    target.querySelector("h3").focus({ preventScroll: true });
    paint();
  }

  function back(choice) {
    marked = choice;
    const length = Math.min(view.until - view.from, 8e6);
    show(choice.at - length / 2, choice.at + length / 2);
    pin(choice.sequence);
    $("timeline").scrollIntoView({ block: "start" });
    canvas.focus({ preventScroll: true });
  }

  for (const button of document.querySelectorAll("button[data-position]")) {
    button.addEventListener("click", async () => {
      await select(Number(button.dataset.run));
      back(run.choices.find((choice) => choice.position === Number(button.dataset.position)));
    });
  }

  function next(direction) {
    const all = run.choices;
    if (all.length === 0) return;
    const now = marked ? marked.at : (view.from + view.until) / 2;
    const i = marked ? all.indexOf(marked) + direction : direction > 0 ? before2(all, now) + 1 : before2(all, now);
    const choice = all[Math.max(0, Math.min(all.length - 1, i))];
    marked = choice;
    const half = (view.until - view.from) / 2;
    if (choice.at < view.from || choice.at > view.until) show(choice.at - half, choice.at + half);
    pin(choice.sequence);
  }

  // ---------------------------------------------------------------- pointer and keys

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  canvas.addEventListener("pointermove", (event) => {
    pointer = place(event);
    if (drag) {
      if (Math.abs(pointer.x - drag.x) > 3) drag.moved = true;
      if (drag.kind === "pan") show(drag.from - (pointer.x - drag.x) / plot() * drag.length, drag.from + drag.length - (pointer.x - drag.x) / plot() * drag.length);
      if (drag.kind === "overview") center(pointer.x);
    }
    point();
  });
  canvas.addEventListener("pointerleave", () => { pointer = null; point(); });
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    awake = true;
    pointer = place(event);
    const lane = laneAt(pointer.y);
    const kind = !lane ? "pan" : lane.kind === "overview" ? "overview" : lane.kind === "ruler" || event.shiftKey ? "range" : "pan";
    drag = { kind, x: pointer.x, from: view.from, length: view.until - view.from, moved: false };
    if (kind === "overview") center(pointer.x);
    canvas.classList.add("panning");
    canvas.setPointerCapture(event.pointerId);
  });
  const center = (px) => {
    const time = (px - GUTTER) / plot() * run.end, length = view.until - view.from;
    show(time - length / 2, time + length / 2);
  };
  canvas.addEventListener("pointerup", () => {
    const done = drag;
    drag = null;
    canvas.classList.remove("panning");
    if (!done) return;
    if (done.kind === "range" && done.moved) {
      const a = timeAt(Math.max(GUTTER, Math.min(done.x, pointer.x))), b = timeAt(Math.max(done.x, pointer.x));
      show(a, b);
    } else if (!done.moved) {
      click(find(pointer.x, pointer.y));
    }
    point();
  });
  canvas.addEventListener("pointercancel", () => { drag = null; canvas.classList.remove("panning"); });
  canvas.addEventListener("dblclick", (event) => zoom(0.4, timeAt(place(event).x)));

  function click(found) {
    if (!found) return pin(-1);
    if (found.kind === "mark" && found.mark.items.length > 1 && view.until - view.from > 2e6) {
      const items = found.mark.items, slack = Math.max(2e5, (items.at(-1).at - items[0].at) * 0.6);
      show(items[0].at - slack, items.at(-1).at + slack);
    } else if (found.kind === "mark" && found.mark.items[0].handling) {
      pin(found.mark.items[0].sequence);
      explain(found.mark.items[0]);
    } else if (found.kind === "mark") {
      pin(found.mark.items[0].sequence);
    } else if (found.kind === "life") {
      pin(run.lives.id[found.i]);
    } else {
      pin(-1);
    }
  }

  let hintTimer = 0;
  canvas.addEventListener("wheel", (event) => {
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!(event.ctrlKey || event.metaKey || awake || sideways)) {
      hint.classList.add("shown");
      clearTimeout(hintTimer);
      hintTimer = setTimeout(() => hint.classList.remove("shown"), 1500);
      return;
    }
    event.preventDefault();
    const scale = event.deltaMode === 1 ? 30 : 1;
    if (sideways) pan((event.deltaX || event.deltaY) * scale / plot());
    else zoom(Math.exp(Math.max(-240, Math.min(240, event.deltaY * scale)) * 0.0025), timeAt(Math.max(GUTTER, place(event).x)));
    point();
  }, { passive: false });
  document.addEventListener("pointerdown", (event) => { if (!stage.contains(event.target)) awake = false; });

  canvas.addEventListener("keydown", (event) => {
    const keys = {
      ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2),
      Home: () => show(0, run.end), "0": () => show(0, run.end), n: () => next(1), p: () => next(-1),
      Enter: () => marked && explain(marked), Escape: () => { marked = null; pin(-1); },
      ArrowUp: () => step(-1), ArrowDown: () => step(1),
    };
    const act = event.ctrlKey || event.metaKey || event.altKey ? null : keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });

  /** Pins the sequence above or below. */
  function step(direction) {
    const rows = visibleLives();
    if (rows.length === 0) return;
    const at = rows.findIndex((i) => run.lives.id[i] === pinned);
    const row = at < 0 ? (direction > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + direction));
    pin(run.lives.id[rows[row]]);
  }

  $("timeline-in").addEventListener("click", () => zoom(0.5));
  $("timeline-out").addEventListener("click", () => zoom(2));
  $("timeline-all").addEventListener("click", () => show(0, run.end));
  $("timeline-left").addEventListener("click", () => pan(-0.5));
  $("timeline-right").addEventListener("click", () => pan(0.5));
  $("timeline-waiting").addEventListener("change", paint);
  const chooser = $("timeline-run");
  if (chooser) chooser.addEventListener("change", () => select(Number(chooser.value)));
  $("timeline-previous").addEventListener("click", () => next(-1));
  $("timeline-next").addEventListener("click", () => next(1));

  async function select(index) {
    if (run && run.index === index) return;
    if (!runs.has(index)) runs.set(index, await load(index));
    run = runs.get(index);
    if (chooser) chooser.value = String(index);
    marked = null;
    layout();
    show(0, run.end);
    pin(-1);
    resize();
    for (const id of ["timeline-previous", "timeline-next"]) $(id).disabled = run.choices.length === 0;
    canvas.dataset.ready = run.name;
  }

  /** What is on the canvas, for those who test it. */
  window.fusespillTimeline = {
    get view() { return { ...view }; },
    get draws() { return stats.draws; },
    get run() { return run && run.name; },
    get choices() { return run.choices.map((choice) => ({ position: choice.position, at: choice.at, sequence: choice.sequence })); },
    get marks() { return shown.map((mark) => ({ x: mark.x, count: mark.items.length, position: mark.items[0].position })); },
    get lanes() { return lanes.map(({ kind, y, height: tall, id }) => ({ kind, y, height: tall, id })); },
    get sequences() { return run.lives.length; },
    show,
  };

  readColors();
  let onScreen;
  addEventListener("beforeprint", () => {
    onScreen = root.dataset.theme;
    root.dataset.theme = "light";
    readColors();
    draw();
  });
  addEventListener("afterprint", () => {
    if (onScreen) root.dataset.theme = onScreen;
    else delete root.dataset.theme;
    repaint();
  });
  new ResizeObserver(() => { if (run && stage.clientWidth !== width) resize(); }).observe(stage);
  select(Number(canvas.dataset.first || 0)).catch((error) => {
    picked.textContent = `The timeline cannot be shown in this browser: ${error.message}`;
  });
})();
