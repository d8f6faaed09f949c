// SPDX-License-Identifier: LGPL-2.1-or-later
// The ladder: the address space from top to bottom, neighbours together, gaps folded.

const MOST_RUNGS = 240;
const ladder = { rungs: [] };

// Parts of one file are one rung; where there are too many, what is nearly adjacent is as well.
function climb(gap, names) {
	const rungs = [];
	for (let i = 0; i < regions.count; i++) {
		const last = rungs[rungs.length - 1];
		if (last && Number(regions.start[i] - regionEnd(last.last)) <= gap && (!names || pathOf(i) === pathOf(last.last)))
			last.last = i;
		else
			rungs.push({ first: i, last: i });
	}
	return rungs;
}

function makeRungs() {
	let rungs = climb(0, true);
	for (let gap = 0; rungs.length > MOST_RUNGS && gap < 2 ** 64; gap = gap * 4 || 4096)
		rungs = climb(gap, false);
	return rungs;
}

function describe(rung) {
	let largest = rung.first;
	rung.size = rung.held = 0;
	for (let i = rung.first; i <= rung.last; i++) {
		rung.size += regions.size[i];
		rung.held += regions.residence ? regions.rss[i] + regions.swap[i] : regions.read[i];
		if (regions.size[i] > regions.size[largest])
			largest = i;
	}
	const more = rung.last - rung.first;
	rung.kind = regions.kind[largest];
	rung.name = baseName(largest) + (more && pathOf(rung.first) !== pathOf(rung.last) ? ` and ${more} more` : "");
	return rung;
}

function makeRung(rung, largest) {
	const rail = make("span", { class: "rail" }), fill = make("span");
	rail.style.width = `${Math.max(3, (100 * Math.log2(rung.size / 2048)) / Math.log2(largest / 2048))}%`;
	fill.style.width = `${(100 * rung.held) / rung.size}%`;
	fill.style.background = KIND_COLOURS[rung.kind];
	rail.append(fill);
	const text = make("span", { class: "body" }, make("span", { class: "label" }, make("span", {}, rung.name),
		make("span", {}, sizeText(rung.size))), rail);
	const button = make("button", { type: "button", class: "rung", title: `${rung.name}: ${sizeText(rung.size)}, ` +
		`${sizeText(rung.held)} ${regions.residence ? "in memory or swap" : "read"}` },
	make("span", { class: "address mono" }, hex(regions.start[rung.first])), text);
	button.addEventListener("click", () => {
		const list = [];
		for (let i = rung.first; i <= rung.last; i++)
			list.push(i);
		choose(list, { label: list.length > 1 ? rung.name : "", from: "ladder" });
	});
	rung.button = button;
	return button;
}

function drawLadder() {
	ladder.rungs = makeRungs().map(describe);
	const largest = Math.max(4096, ...ladder.rungs.map((rung) => rung.size));
	const children = [];
	for (let i = ladder.rungs.length - 1; i >= 0; i--) {
		const rung = ladder.rungs[i];
		children.push(makeRung(rung, largest));
		const gap = i ? Number(regions.start[rung.first] - regionEnd(ladder.rungs[i - 1].last)) : 0;
		if (gap > 0)
			children.push(make("p", { class: "gap" }, `${sizeText(gap)} free`));
	}
	$("ladder").replaceChildren(...children);
}

function markLadder(from) {
	let shown = null;
	for (const rung of ladder.rungs) {
		let marked = false;
		for (let i = rung.first; chosen.mask && !marked && i <= rung.last; i++)
			marked = Boolean(chosen.mask[i]);
		rung.button.classList.toggle("chosen", marked);
		rung.button.classList.toggle("dim", Boolean(chosen.mask && !marked));
		shown = marked && !shown ? rung.button : shown;
	}
	const box = $("ladder");
	if (shown && from !== "ladder")
		box.scrollTop = shown.offsetTop - box.clientHeight / 2;
}
