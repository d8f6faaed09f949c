// SPDX-License-Identifier: LGPL-2.1-or-later
// The head, the account, the switches; and then everything is drawn.

function timeText(microseconds) {
	if (microseconds < 1000)
		return `${microseconds} \u00b5s`;
	return microseconds < 1e6 ? `${(microseconds / 1000).toFixed(1)} ms` : `${(microseconds / 1e6).toFixed(1)} s`;
}

function momentText() {
	if (!data.consistency)
		return "consistency not told";
	if (data.consistency === "live")
		return "live: read while it ran on";
	const late = data.shared.after ? `, ${sizeText(data.shared.after)} of shared memory read after it` : "";
	return `${data.consistency}${data.engine ? ` (${data.engine})` : ""}, paused ${timeText(data.pause_us)}${late}`;
}

function fact(name, value) {
	return make("li", {}, `${name} `, make("b", {}, value));
}

function startHead() {
	const pid = data.pid ?? (typeof data.target === "number" ? data.target : null);
	document.title = `${data.words} - pidmem report`;
	$("name").textContent = data.name || data.words;
	$("command").textContent = data.command_line || "";
	const list = [];
	if (pid)
		list.push(fact("process", String(pid)));
	if (typeof data.target === "string")
		list.push(fact("from", data.target));
	list.push(make("li", { id: "moment" }, momentText()));
	if (data.before)
		list.push(fact("compared with", data.before.words));
	list.push(fact("regions", regions.count.toLocaleString("en")), fact("virtual", sizeText(sum(regions.size))));
	if (regions.residence)
		list.push(fact("resident", sizeText(sum(regions.rss))), fact("swapped", sizeText(sum(regions.swap))));
	if (regions.changed)
		list.push(fact("changed", sizeText(sum(regions.changed))));
	if (data.threads)
		list.push(fact("threads", String(data.threads)));
	if (data.written)
		list.push(fact("file last changed", data.written));
	list.push(make("li", { id: "made" }, `${data.written ? "page made " : ""}${data.made} on ${data.host}`));
	$("facts").append(...list);
	$("notice").textContent = data.bytes ? "This page contains bytes of the process's memory: passwords and keys may be among them."
		: "This page contains no bytes of the process's memory, but names, sizes and its command line.";
	$("notice").classList.toggle("calm", !data.bytes);
	$("footer").textContent = `Made by pidmem ${data.version}${data.kernel ? ` on Linux ${data.kernel}` : ""}. ` +
		"Nothing is loaded from anywhere.";
}

function startAccount() {
	const { account } = data, bar = $("account-bar"), words = [];
	for (const [name, text, colour] of ACCOUNT) {
		const part = make("span", { title: `${text}: ${sizeText(account[name])}` });
		part.style.flex = `${account[name]} 0 0`;
		part.style.background = colour;
		if (account[name])
			bar.append(part);
		$("account-legend").append(legendItem(colour, text, account[name]));
		words.push(`${text} ${sizeText(account[name])}`);
	}
	bar.setAttribute("aria-label", words.join(", "));
	$("account-total").textContent = `${sizeText(account.total)} in all, ${account.total.toLocaleString("en")} bytes`;
	const notes = data.reasons.map((reason) => `${sizeText(reason.size)}: ${reason.text}`);
	if (data.fallback)
		notes.push(data.fallback);
	if (data.unstopped)
		notes.push(`${data.unstopped} threads could not be stopped and ran on`);
	if (data.untracked)
		notes.push(`${sizeText(data.untracked)}: writes were not tracked`);
	if (sum(cells.uncompared))
		notes.push(`${sizeText(sum(cells.uncompared))}: not compared, ${data.before.words} does not have the content`);
	if (data.before && data.before.gone)
		notes.push(`${data.before.gone} regions (${sizeText(data.before.gone_size)}) of ${data.before.words} are gone`);
	$("account-notes").textContent = notes.join(" \u00b7 ");
}

// One of several, by mouse or by arrow keys.
function startSwitch(box, choices, first, act) {
	const buttons = choices.map(([name, title]) => make("button", { type: "button", role: "radio", "data-name": name,
		"aria-checked": String(name === first), tabindex: name === first ? "0" : "-1" }, title));
	const set = (button) => {
		for (const other of buttons) {
			other.setAttribute("aria-checked", String(other === button));
			other.tabIndex = other === button ? 0 : -1;
		}
		act(button.dataset.name);
	};
	buttons.forEach((button, i) => {
		button.addEventListener("click", () => set(button));
		button.addEventListener("keydown", (event) => {
			const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
			if (!by)
				return;
			event.preventDefault();
			const next = buttons[(i + by + buttons.length) % buttons.length];
			next.focus();
			set(next);
		});
	});
	box.append(...buttons);
}

function setTheme(theme) {
	document.documentElement.dataset.theme = theme;
	$("theme").textContent = theme === "dark" ? "Light" : "Dark";
	$("theme").setAttribute("aria-label", theme === "dark" ? "Use light colours" : "Use dark colours");
	paintVeil();
	drawMap();
}

function startTheme() {
	const dark = window.matchMedia("(prefers-color-scheme: dark)");
	setTheme(dark.matches ? "dark" : "light");
	dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
	$("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
}

function redraw() {
	sizeMap();
	drawTree();
	table.first = -1;
	drawTable();
}

// Paper is white, and the table shows all of its rows that are not too many.
function printed(all) {
	if (all)
		printed.theme = document.documentElement.dataset.theme;
	setTheme(all ? "light" : printed.theme);
	table.all = all;
	table.first = -1;
	countRows();
	drawTable();
}

function start() {
	startHead();
	startAccount();
	startTheme();
	startSwitch($("modes"), Object.entries(MODES).map(([name, mode]) => [name, mode.title]), data.before ? "changed" : "kind", setMode);
	startSwitch($("measures"), measures(), regions.residence ? "rss" : "size", (name) => {
		tree.measure = name;
		drawTree();
	});
	tree.measure = regions.residence ? "rss" : "size";
	$("map-scale").textContent = cells.count ? `${cells.count.toLocaleString("en")} squares of ${sizeText(cells.size)} each` : "nothing to show";
	drawLadder();
	listenToMap();
	startTable();
	setMode(data.before ? "changed" : "kind");
	redraw();
	showDetails(false);
	listeners.push(followChosen, paintVeil, drawMap, showDetails.bind(null, true), markTree, markLadder, markTable);
	let waiting = 0;
	window.addEventListener("resize", () => {
		cancelAnimationFrame(waiting);
		waiting = requestAnimationFrame(redraw);
	});
	window.addEventListener("beforeprint", () => printed(true));
	window.addEventListener("afterprint", () => printed(false));
	document.documentElement.dataset.ready = "true";
}

start();
