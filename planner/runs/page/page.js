"use strict";
(() => {
  const all = JSON.parse(document.getElementById("data").textContent);
  const tip = document.getElementById("tip");
  const LEFT = 72, RIGHT = 14, ROW = 30, GAP = 6, AXIS = 26;
  const STATES = ["waiting", "unpacking", "writing"];
  const MIB = 1048576;
  const size = n => (n / MIB).toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 }) + " MiB";
  const secs = s => s < 10 ? s.toFixed(2) + " s" : s.toFixed(1) + " s";
  const escape = t => String(t).replace(/[&<>"]/g, c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }[c]));
  const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function show(text, x, y) {
    tip.textContent = text;
    tip.classList.add("on");
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - box.width - 8)) + "px";
    tip.style.top = Math.max(4, y + 18 + box.height > innerHeight ? y - box.height - 12 : y + 18) + "px";
  }
  const hide = () => tip.classList.remove("on");

  // The seconds of one step of the axis, so that about `count` labels fit.
  function step(seconds, count) {
    const rough = Math.max(seconds / Math.max(count, 1), 1e-3), power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].map(n => n * power).find(n => n >= rough);
  }

  function about(w) {
    const spent = [0, 0, 0];
    for (const part of w[6]) for (let n = 0; n < 3; n++) spent[n] += part[2 + n];
    const lines = [`${w[0]} ${w[1]}  (${w[5]})`, `lane ${w[2] + 1}, ${secs(w[3])} to ${secs(w[4])}: ${secs(w[4] - w[3])}`];
    lines.push((w[11] ? `building ${secs(w[11])}, ` : "") + STATES.map((name, n) => `${name} ${secs(spent[n])}`).join(", "));
    if (w[7]) lines.push(`${size(w[7])} fetched`);
    if (w[8]) lines.push(`${size(w[8])} unpacked, ${w[9].toLocaleString("en")} files`);
    if (w[10]) lines.push(w[10]);
    return lines.join("\n");
  }

  function page(run, article) {
    const find = selector => article.querySelector(selector);
    const time = find(".time"), memory = find(".memory"), gantt = find(".gantt");
    const filter = find("[data-control=filter]"), least = find("[data-control=least]"), scale = find("[data-control=scale]");
    const longest = Math.max(0.001, ...run.wheels.map(w => w[4] - w[3]));
    // Runs beside each other have one scale of time.
    const end = Math.max(0.01, ...all.map(one => one.seconds));
    let width = 0, chart = null, current = -1, chosen = null;

    // Requests that go on at once are below each other.
    const ends = [], placed = run.requests.map((r, n) => [r[1] - r[2], r[1], n]).sort((p, q) => p[0] - q[0]).map(([from, to, n]) => {
      let row = ends.findIndex(t => t <= from);
      if (row < 0) row = ends.push(0) - 1;
      ends[row] = to;
      return [from, to, n, row];
    });
    const beside = ends.length;

    const x = t => LEFT + (width - LEFT - RIGHT) * t / end;

    function drawMemory() {
      if (chart) chart.destroy();
      chart = null;
      if (!run.at.length || !run.memory.length) return;
      const tones = { "held before": "--before", "anonymous": "--anonymous", "kernel": "--kernel", "tmpfs": "--tmpfs", "dirty cache": "--dirty", "clean cache": "--clean", "mapped files": "--mapped" };
      const parts = run.memory.filter(([, values]) => Math.max(...values) > MIB / 4);
      const sums = [], below = run.at.map(() => 0);
      for (const [, values] of parts) { values.forEach((v, n) => { below[n] += v; }); sums.push(below.map(v => v / MIB)); }
      const highest = Math.max(...below) / MIB;
      const rules = [];
      if (run.limit !== null) rules.push(["budget", run.limit / MIB, "--ink"]);
      for (const [name, bytes] of run.limits) {
        if (bytes / MIB <= Math.max(highest, (run.limit || 0) / MIB) * 2 && bytes !== run.limit) rules.push([name.split("/").pop(), bytes / MIB, "--bad"]);
      }
      const top = Math.max(highest, ...rules.map(r => r[1])) * 1.08;
      const order = sums.map((_, n) => sums.length - 1 - n);
      const paint = token => color(token);
      const series = order.map(n => ({ label: parts[n][0], fill: paint(tones[parts[n][0]]), width: 0, points: { show: false } }));
      const lines = rules.map(r => ({ label: r[0], stroke: paint(r[2]), width: 1.5, dash: [6, 4], points: { show: false } }));
      const axis = { stroke: paint("--soft"), grid: { stroke: paint("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, DejaVu Sans, sans-serif" };
      chart = new uPlot({
        width, height: 210, padding: [10, RIGHT, 0, 0], legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
        scales: { x: { time: false, range: [0, end] }, y: { range: [0, top] } },
        axes: [{ ...axis, size: 4, values: () => [], splits: () => ticks(), }, { ...axis, size: LEFT, values: (_, v) => v.map(n => n + " MiB") }],
        series: [{}, ...series, ...lines],
        hooks: { setCursor: [u => {
          const n = u.cursor.idx;
          if (n === null || n === undefined || u.cursor.left < 0) { hide(); return; }
          const box = u.over.getBoundingClientRect();
          const text = [secs(run.at[n]) + `: ${size(below[n])}`, ...parts.map(([name, v]) => `${name} ${size(v[n])}`).reverse()];
          show(text.join("\n"), box.left + u.cursor.left, box.top + u.cursor.top);
        }] },
      }, [run.at, ...order.map(n => sums[n]), ...rules.map(r => run.at.map(() => r[1]))], memory);
      find("[data-legend=memory]").innerHTML = parts.map(([name]) => `<li><span><i style="--tone:var(${tones[name]})"></i>${name}</span></li>`).join("") +
        rules.map(r => `<li><span><i class="rule" style="--tone:var(${r[2]})"></i>${escape(r[0])} ${r[1].toFixed(1)} MiB</span></li>`).join("");
    }

    function ticks() {
      const by = step(end, (width - LEFT) / 90), found = [];
      for (let t = 0; t <= end + 1e-9; t += by) found.push(Number(t.toFixed(6)));
      return found;
    }

    function drawGantt() {
      const rows = run.lanes + (run.builds.length ? 1 : 0) + (run.commit.length ? 1 : 0);
      const height = Math.max(rows * (ROW + GAP) + (beside ? Math.max(Math.min(beside, 16) * 9, 22) + GAP : 0), ROW) + AXIS;
      const out = [`<svg width="${width}" height="${height}" role="img" aria-label="what each lane did">`];
      for (const t of ticks()) {
        const at = x(t).toFixed(1);
        out.push(`<line x1="${at}" x2="${at}" y1="0" y2="${height - AXIS + 4}" stroke="var(--line)"/><text x="${at}" y="${height - 8}" text-anchor="middle">${Number(t.toPrecision(6))} s</text>`);
      }
      for (let lane = 0; lane < run.lanes; lane++) {
        out.push(`<text x="${LEFT - 10}" y="${lane * (ROW + GAP) + 20}" text-anchor="end">lane ${lane + 1}</text>`);
      }
      const wanted = (filter ? filter.value : "").trim().toLowerCase(), shortest = least ? longest * (least.value / 100) ** 2 : 0;
      run.wheels.forEach((w, n) => {
        const y = w[2] * (ROW + GAP), a = x(w[3]), open = !["staged", "reused", "failed"].includes(w[5]);
        const b = open ? x(run.seconds) : Math.max(x(w[4]), a + 1);
        const dim = (wanted && !w[0].includes(wanted)) || w[4] - w[3] < shortest;
        out.push(`<g class="bar${dim ? " dim" : ""}" data-n="${n}">`);
        // Each column is a moment, divided by what its time went into.
        let from = null, sums = [0, 0, 0];
        w[6].forEach((part, k) => {
          if (from === null) from = part[0];
          for (let n = 0; n < 3; n++) sums[n] += part[2 + n];
          const p = x(from), q = Math.max(x(part[1]) - p, 0.6);
          if (q < 4 && k + 1 < w[6].length) return;
          const whole = sums[0] + sums[1] + sums[2];
          let top = y;
          sums.forEach((s, n) => {
            if (s > 0) out.push(`<rect class="s${n}" x="${p.toFixed(2)}" y="${top.toFixed(2)}" width="${(q + 0.3).toFixed(2)}" height="${(ROW * s / whole).toFixed(2)}"/>`);
            top += ROW * s / whole;
          });
          from = null;
          sums = [0, 0, 0];
        });
        if (w[11]) out.push(`<rect class="s4" x="${a.toFixed(2)}" y="${y}" width="${Math.max(x(w[3] + w[11]) - a, 1).toFixed(2)}" height="${ROW}"/>`);
        if (w[5] === "failed") out.push(`<rect class="sbad" x="${a.toFixed(2)}" y="${y}" width="${Math.max(b - a, 4).toFixed(2)}" height="${ROW}"/>`);
        if (open) {
          // Torn: the log ends here.
          const from = x(w[4]);
          if (b - from > 1) out.push(`<rect class="${w[5] === "begun" || w[5] === "waits" ? "s0" : "s1"}" x="${from.toFixed(2)}" y="${y}" width="${(b - from).toFixed(2)}" height="${ROW}" opacity=".6"/>`);
          let edge = `M${b.toFixed(1)} ${y - 2}`;
          for (let k = 0; k < 6; k++) edge += ` l${k % 2 ? -7 : 7} ${(ROW + 4) / 6}`;
          out.push(`<path class="torn" d="${edge}" fill="none" stroke="var(--bad)" stroke-width="2.5"/>`);
        }
        if (b - a > 3) out.push(`<rect class="frame" x="${a.toFixed(2)}" y="${y}" width="${(b - a).toFixed(2)}" height="${ROW}" rx="2"/>`);
        if (b - a > w[0].length * 6.4 + 10) out.push(`<text class="in" x="${(a + 5).toFixed(2)}" y="${y + 19}">${escape(w[0])}</text>`);
        out.push("</g>");
      });
      let y = run.lanes * (ROW + GAP);
      if (run.builds.length) {
        out.push(`<text x="${LEFT - 10}" y="${y + 20}" text-anchor="end">builds</text>`);
        run.builds.forEach(([name, from, to, demand, planned], n) => {
          const until = to === null ? run.seconds : to;
          out.push(`<g class="bar" data-build="${n}"><rect class="${to === null ? "sbad" : "s1"}" x="${x(from).toFixed(2)}" y="${y}" width="${Math.max(x(until) - x(from), 2).toFixed(2)}" height="${ROW}"/>`);
          if (x(until) - x(from) > name.length * 6.4 + 10) out.push(`<text class="in" x="${(x(from) + 5).toFixed(2)}" y="${y + 19}">${escape(name)}</text>`);
          out.push("</g>");
        });
        y += ROW + GAP;
      }
      if (run.commit.length) {
        out.push(`<text x="${LEFT - 10}" y="${y + 20}" text-anchor="end">commit</text>`);
        run.commit.forEach(([name, from], n) => {
          const to = n + 1 < run.commit.length ? run.commit[n + 1][1] : run.seconds;
          if (name !== "done") out.push(`<g class="bar" data-commit="${n}"><rect class="s3" x="${x(from).toFixed(2)}" y="${y}" width="${Math.max(x(to) - x(from), 1).toFixed(2)}" height="${ROW}" opacity="${1 - n * 0.2}"/></g>`);
        });
        y += ROW + GAP;
      }
      if (run.requests.length) {
        out.push(`<text x="${LEFT - 10}" y="${y + 20}" text-anchor="end">requests</text>`);
        placed.forEach(([from, to, n, row]) => {
          out.push(`<g class="bar" data-request="${n}"><rect class="s0" x="${x(from).toFixed(2)}" y="${(y + (row % 16) * 9).toFixed(1)}" width="${Math.max(x(to) - x(from), 1).toFixed(2)}" height="7"/></g>`);
        });
      }
      if (run.outcome === "killed") {
        const at = x(run.seconds).toFixed(1);
        out.push(`<line x1="${at}" x2="${at}" y1="0" y2="${height - AXIS}" stroke="var(--bad)" stroke-dasharray="3 3"/>`);
      }
      out.push("</svg>");
      gantt.innerHTML = out.join("");
      if (current >= 0) mark(current);
    }

    function mark(n) {
      gantt.querySelectorAll(".bar.on").forEach(one => one.classList.remove("on"));
      current = n;
      const bar = gantt.querySelector(`[data-n="${n}"]`);
      if (bar) bar.classList.add("on");
      return bar;
    }

    function tell(target, px, py) {
      const bar = target.closest(".bar");
      if (!bar) { hide(); return; }
      const set = bar.dataset;
      if (set.n !== undefined) show(about(run.wheels[set.n]), px, py);
      else if (set.build !== undefined) {
        const [name, from, to, demand, planned, limit] = run.builds[set.build];
        show([`build of ${name}`, to === null ? "not ended" : secs(to - from), demand ? `held ${size(demand)}` : "", planned ? `${size(planned)} when it was planned` : "", limit ? `limit ${size(limit)}` : ""].filter(Boolean).join("\n"), px, py);
      } else if (set.commit !== undefined) {
        const n = Number(set.commit), to = n + 1 < run.commit.length ? run.commit[n + 1][1] : run.seconds;
        show(`commit: ${run.commit[n][0]}\n${secs(to - run.commit[n][1])}`, px, py);
      } else {
        const r = run.requests[set.request];
        show(`${r[0]}\n${r[3] === null ? "no answer" : r[3]}, ${secs(r[2])}, ${r[4].toLocaleString("en")} bytes`, px, py);
      }
    }

    function layout() {
      const room = time.clientWidth, factor = scale ? 40 ** (scale.value / 100) : 1;
      width = Math.max(280, Math.min(16000, Math.round(room * factor)));
      if (scale) scale.nextElementSibling.value = factor < 9.95 ? factor.toFixed(1) + "×" : Math.round(factor) + "×";
      drawMemory();
      drawGantt();
    }

    function choose(name) {
      chosen = chosen === name ? null : name;
      if (filter) filter.value = chosen || "";
      refilter();
    }

    function refilter() {
      const wanted = (filter ? filter.value : "").trim().toLowerCase();
      const shortest = least ? longest * (least.value / 100) ** 2 : 0;
      if (least) least.nextElementSibling.value = shortest ? secs(shortest) : "all";
      let count = 0;
      const rows = article.querySelectorAll("[data-table=packages] tbody tr");
      rows.forEach(row => {
        row.hidden = Boolean(wanted && !row.dataset.name.includes(wanted)) || Number(row.children[3].dataset.v) < shortest;
        count += !row.hidden;
      });
      const told = find("[data-count]");
      if (told) told.textContent = count === rows.length ? rows.length : `${count} of ${rows.length}`;
      cells.forEach(one => one.classList.toggle("on", Boolean(wanted) && one.dataset.name === wanted));
      if (width) drawGantt(); else layout();
    }

    gantt.addEventListener("mousemove", event => tell(event.target, event.clientX, event.clientY));
    gantt.addEventListener("mouseleave", hide);
    memory.addEventListener("mouseleave", hide);
    gantt.addEventListener("click", event => {
      const bar = event.target.closest(".bar");
      if (bar && bar.dataset.n !== undefined) choose(run.wheels[bar.dataset.n][0]);
    });
    time.addEventListener("keydown", event => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (event.key === "Escape") hide();
      if (event.key === "Enter" && current >= 0) choose(run.wheels[current][0]);
      if (!by || !run.wheels.length) return;
      event.preventDefault();
      const bar = mark(Math.max(0, Math.min(run.wheels.length - 1, current + by)));
      const box = bar.getBoundingClientRect(), frame = time.getBoundingClientRect();
      if (box.left < frame.left + LEFT || box.right > frame.right) time.scrollLeft += box.left - frame.left - frame.width / 2;
      const place = bar.getBoundingClientRect();
      show(about(run.wheels[current]), place.left, place.bottom);
    });
    time.addEventListener("blur", hide);
    article.querySelectorAll("[data-state]").forEach(button => button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", on);
      gantt.classList.toggle("off" + button.dataset.state, !on);
    }));
    // The map is one stop of the tab key.
    const cells = [...article.querySelectorAll(".map button")];
    cells.forEach((cell, n) => {
      cell.addEventListener("keydown", event => {
        const next = cells[n + ({ ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key] ?? NaN)];
        if (!next) return;
        event.preventDefault();
        cell.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      });
      cell.addEventListener("mousemove", event => show(cell.dataset.tip, event.clientX, event.clientY));
      cell.addEventListener("mouseleave", hide);
      cell.addEventListener("focus", () => { const box = cell.getBoundingClientRect(); show(cell.dataset.tip, box.left, box.top); });
      cell.addEventListener("blur", hide);
      if (cell.dataset.name) cell.addEventListener("click", () => choose(cell.dataset.name));
    });
    if (filter) filter.addEventListener("input", () => { chosen = null; refilter(); });
    if (least) least.addEventListener("input", refilter);
    if (scale) scale.addEventListener("input", layout);
    refilter();
    return layout;
  }

  // Tables are sorted by their heads; figures by their exact value, if a cell has one.
  function sortable(table) {
    const body = table.tBodies[0];
    table.querySelectorAll("thead button").forEach(button => button.addEventListener("click", () => {
      const head = button.parentElement, column = head.cellIndex;
      const descends = head.getAttribute("aria-sort") !== "descending";
      table.querySelectorAll("th").forEach(th => th.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descends ? "descending" : "ascending");
      const value = row => { const c = row.children[column]; return c.dataset.v ?? c.textContent; };
      const numeric = [...body.rows].every(row => value(row).trim() !== "" && !isNaN(value(row)));
      const rows = [...body.rows].sort((p, q) => numeric ? value(p) - value(q) : value(p).localeCompare(value(q)));
      if (descends) rows.reverse();
      body.append(...rows);
    }));
  }

  const redraw = all.map((run, n) => page(run, document.getElementById("run" + n)));
  document.querySelectorAll("table").forEach(sortable);
  // The first order is by time.
  document.querySelectorAll("[data-table=packages] [aria-sort] button").forEach(one => { one.parentElement.removeAttribute("aria-sort"); one.click(); });
  let waiting = 0;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => redraw.forEach(one => one()), 60); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw.forEach(one => one()));
  addEventListener("beforeprint", () => redraw.forEach(one => one()));
})();
