// SPDX-License-Identifier: LGPL-2.1-or-later
// What is pointed at or chosen, in words: where, what, how much, and the first bytes.

const BYTE_BARS = [["zeros", "zero", "#b9c0ca"], ["text", "text", "#00875f"], ["high", "above 127", "#0072b2"],
	["other", "other", "#8a6fb0"]];

function quote(text) {
	return /^[\w./@%+,:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

const readCommand = (address, size) => `pidmem read ${quote(String(data.target))} ${hex(address)} ${size}`;

async function copy(button, text) {
	const before = button.dataset.text || (button.dataset.text = button.textContent);
	let done = false;
	try {
		await navigator.clipboard.writeText(text);
		done = true;
	} catch {
		const area = make("textarea", { class: "hidden" });
		area.value = text;
		document.body.append(area);
		area.select();
		done = document.execCommand("copy");
		area.remove();
		button.focus();
	}
	button.textContent = done ? "Copied" : "Could not be copied";
	setTimeout(() => { button.textContent = before; }, 1500);
}

function copyButton(text, command) {
	const button = make("button", { type: "button", class: "plain", "data-copy": command, title: command }, text);
	button.addEventListener("click", () => copy(button, command));
	return button;
}

function facts(pairs) {
	const list = make("dl");
	for (const [name, value] of pairs)
		if (value !== null)
			list.append(make("dt", {}, name), make("dd", {}, value));
	return list;
}

function hexLines(cell) {
	const size = cells.sample_size[cell], lines = [];
	for (let line = 0; line < size; line += 8) {
		const bytes = [...cells.sample.subarray(32 * cell + line, 32 * cell + Math.min(size, line + 8))];
		const digits = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ").padEnd(23);
		const text = bytes.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
		lines.push(`${digits}  |${text}|`);
	}
	return lines.join("\n");
}

function byteBar(cell) {
	const shares = [cells.zeros[cell], cells.text[cell], cells.high[cell]];
	shares.push(Math.max(0, 255 - shares[0] - shares[1] - shares[2]));
	const bar = make("div", { class: "bar", "aria-hidden": "true" }), list = make("ul", { class: "legend" });
	BYTE_BARS.forEach(([, text, colour], i) => {
		const part = make("span");
		part.style.flex = `${shares[i]} 0 0`;
		part.style.background = colour;
		if (shares[i] > 0) {
			bar.append(part);
			list.append(make("li", {}, swatch(colour), `${text} ${percent(shares[i], 255)}`));
		}
	});
	return [bar, list];
}

function residenceText(rss, swap) {
	return sizeText(rss) + (swap ? `, ${sizeText(swap)} in swap` : "");
}

function regionPart(region) {
	const name = make("h3", {}, nameOf(region));
	if (regions.marks[region] & 1)
		name.append(make("span", { class: "tag" }, "deleted"));
	if (regions.marks[region] & 2)
		name.append(make("span", { class: "tag" }, "new"));
	return [name, facts([
		["Region", make("span", { class: "mono" }, `${hex(regions.start[region])} - ${hex(regionEnd(region))}`)],
		["Access", `${permsText(region)}, ${KINDS[regions.kind[region]]}`],
		["Size", sizeText(regions.size[region])],
		["In memory", regions.residence ? residenceText(regions.rss[region], regions.swap[region]) : null],
		["Read", sizeText(regions.read[region])],
		["Unreadable", regions.unreadable[region] ? sizeText(regions.unreadable[region]) : null],
		["Changed", regions.changed ? sizeText(regions.changed[region]) : null],
		["File offset", regions.offset[region] ? `0x${regions.offset[region].toString(16)}` : null],
	])];
}

function samplePart(cell, region) {
	if (!cells.sample)
		return [make("p", { class: "muted" }, "No bytes: this page was made with --no-bytes.")];
	if (!cells.sample_size[cell])
		return [make("p", { class: "muted" }, cells.zero[cell] ? "Nothing but zeros." : "No content.")];
	const from = regionAt(cells.sample_start[cell]);
	return [make("p", { class: "muted" }, "Bytes at ", make("code", { id: "sample-address" }, hex(cells.sample_start[cell])),
		from >= 0 && from !== region ? `, of ${nameOf(from)}` : ""),
		make("pre", { id: "sample", tabindex: "0" }, hexLines(cell)), ...byteBar(cell)];
}

// A command for its sample, if that is of the region.
function startOf(cell, region) {
	const start = regions.start[region], sample = cells.sample ? cells.sample_start[cell] : 0n;
	if (sample && regionAt(sample) === region)
		return sample;
	return cells.start[cell] > start ? cells.start[cell] : start;
}

function cellPart(cell, region) {
	const start = regions.start[region], more = cellRegions(cell).length - 1;
	return [
		make("p", { class: "where mono", id: "cell-address" }, hex(cells.start[cell] > start ? cells.start[cell] : start)),
		...samplePart(cell, region),
		facts([
			["Cell", `${sizeText(cells.size)}, of which ${sizeText(held(cell))} known`],
			["Holds", more > 0 ? `${more + 1} regions` : null],
			["In memory", cells.residence ? residenceText(cells.rss[cell], cells.swap[cell]) : null],
			["Unreadable", cells.unreadable[cell] ? sizeText(cells.unreadable[cell]) : null],
			["Pointers", cells.pointers[cell] ? percent(cells.pointers[cell], 255) : null],
			["Entropy", cells.entropy[cell] === 255 ? null : `${(cells.entropy[cell] / 31.75).toFixed(1)} bits for each byte`],
			["Changed", cells.changed ? sizeText(cells.changed[cell]) : null],
			["Not compared", cells.uncompared && cells.uncompared[cell] ? sizeText(cells.uncompared[cell]) : null],
			["Looked at", sampled > 1 && cells.read[cell] ? `samples, for ${sampled > 4 ? "sorts of bytes and " : ""}entropy` : null],
		]),
		make("div", { class: "copies" }, copyButton("Copy as pidmem read", readCommand(startOf(cell, region), 256))),
	];
}

function groupPart() {
	let count = 0, size = 0, rss = 0;
	for (let i = 0; i < regions.count; i++) {
		if (!chosen.mask[i])
			continue;
		count++;
		size += regions.size[i];
		rss += regions.rss[i];
	}
	return [make("p", { class: "where" }, chosen.label),
		facts([["Regions", String(count)], ["Size", sizeText(size)], ["In memory", regions.residence ? sizeText(rss) : null]])];
}

// While nothing is chosen.
function kindsTable() {
	const held = regions.residence ? "rss" : "read", body = make("tbody");
	KINDS.forEach((kind, number) => {
		let count = 0, size = 0, part = 0;
		for (let i = 0; i < regions.count; i++) {
			if (regions.kind[i] !== number)
				continue;
			count++;
			size += regions.size[i];
			part += regions[held][i];
		}
		const mark = make("span", { class: "mark", "aria-hidden": "true" });
		mark.style.background = KIND_COLOURS[number];
		if (count)
			body.append(make("tr", {}, make("td", {}, mark, kind), ...[String(count), sizeText(size), sizeText(part)].map((text) =>
				make("td", { class: "number" }, text))));
	});
	return make("table", { class: "kinds" }, make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Kind"),
		...["Regions", "Virtual", regions.residence ? "Resident" : "Read"].map((title) =>
			make("th", { scope: "col", class: "number" }, title)))), body);
}

function showDetails(spoken) {
	const box = $("details"), cell = map.pointed >= 0 ? map.pointed : chosen.cell;
	if (cell >= 0) {
		const region = toldRegion(cell);
		box.replaceChildren(...cellPart(cell, region), ...regionPart(region));
		if (spoken !== false)
			$("spoken").textContent = `${$("cell-address").textContent}, ${nameOf(region)}, ` +
				`${permsText(region)}, ${sizeText(held(cell))}`;
	} else if (chosen.label) {
		box.replaceChildren(...groupPart());
		$("spoken").textContent = chosen.label;
	} else if (chosen.region >= 0) {
		box.replaceChildren(...regionPart(chosen.region), make("div", { class: "copies" },
			copyButton("Copy as pidmem read", readCommand(regions.start[chosen.region], 256))));
		$("spoken").textContent = `${nameOf(chosen.region)}, ${permsText(chosen.region)}`;
	} else {
		box.replaceChildren(make("p", { class: "muted" }, "Point at the map to see an address, its region and its first " +
			"bytes. Choose a square, a box, a rung or a row: it is marked in all pictures."), kindsTable());
	}
}
