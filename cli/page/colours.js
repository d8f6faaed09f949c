// SPDX-License-Identifier: LGPL-2.1-or-later
// Colours that people tell apart whatever they see of red and green (Okabe and Ito; viridis), and what they mean.

const KIND_COLOURS = ["#0072b2", "#d55e00", "#b8609a", "#00875f", "#c98a00", "#7a7f87"];
const ACCOUNT = [
	["read", "content read", "#0072b2"], ["zero", "known to be zero", "#8fb9d6"],
	["excluded", "left out", "#9aa1ab"], ["no_content", "without content", "#d0b062"],
	["unreadable", "unreadable", "#c4314b"],
];
const VIRIDIS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
const EMBERS = [[120, 130, 142], [150, 110, 190], [213, 94, 0], [240, 170, 30], [255, 236, 120]];

const rgb = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
const css = (colour) => `rgb(${colour.map(Math.round).join(",")})`;

function ramp(stops, share) {
	const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1), i = Math.min(Math.floor(at), stops.length - 2);
	return stops[i].map((value, channel) => value + (stops[i + 1][channel] - value) * (at - i));
}

// Of which there is nothing to tell.
const BLANK = "#c3c9d1";

const held = (cell) => cells.read[cell] + cells.zero[cell];
const known = (cell) => held(cell) + cells.unreadable[cell];

function permsClass(region) {
	const perms = regions.perms[region];
	if (perms & PERM.unknown)
		return 5;
	if (perms & PERM.write)
		return perms & PERM.exec ? 3 : 1;
	return perms & PERM.exec ? 2 : perms & PERM.read ? 0 : 4;
}

function residenceClass(cell) {
	if (cells.swap[cell] > cells.rss[cell])
		return 2;
	if (cells.rss[cell] >= known(cell) * 0.99 && cells.rss[cell])
		return 0;
	return cells.rss[cell] ? 1 : 3;
}

// What most says of the bytes: pointers before text before the rest.
function bytesClass(cell) {
	if (!cells.read[cell])
		return cells.unreadable[cell] ? 6 : 0;
	if (cells.pointers[cell] >= 64)
		return 2;
	if (cells.text[cell] >= 166)
		return 1;
	if (cells.zeros[cell] >= 191)
		return 0;
	return cells.high[cell] >= 96 ? 3 : 4;
}

const PERMS_CLASSES = [["r-- read only", "#7fa8c4"], ["rw- written to", "#0072b2"], ["r-x code", "#c98a00"],
	["rwx written to and run", "#d02a50"], ["--- no access", "#7a7f87"], ["not told", "#b5bac2"]];
const RESIDENCE_CLASSES = [["all in memory", "#0072b2"], ["partly in memory", "#66aed6"], ["mostly in swap", "#d55e00"],
	["not in memory, read from its file", "#b9c0ca"]];
const BYTES_CLASSES = [["mostly zero", "#b9c0ca"], ["mostly text", "#00875f"], ["with pointers", "#c98a00"],
	["many bytes above 127", "#0072b2"], ["mixed", "#8a6fb0"], ["", "#000000"], ["unreadable", "#c4314b"]];

function entropyShare(cell) {
	if (!cells.read[cell])
		return cells.zero[cell] ? 0 : null;
	return cells.entropy[cell] === 255 ? null : cells.entropy[cell] / 254;
}

function changedShare(cell) {
	if (cells.changed[cell])
		return 0.25 + 0.75 * Math.sqrt(Math.min(1, cells.changed[cell] / (known(cell) || 1)));
	return 2 * cells.uncompared[cell] > known(cell) ? null : 0;
}

// Where cells are large, some blocks of 4 KiB are looked at: lib/survey/survey.c.
const sampled = Math.min(32, cells.size / 4096);

function sampleText(every) {
	return every > 1 ? `a sample: of large parts, one block of 4 KiB in ${every} was looked at` : "";
}

// Each mode colours cells, some by their regions; one with classes says how much is in each. What has no share is blank.
const MODES = {
	kind: { title: "Kind", shaded: true, classes: KINDS.map((kind, i) => [kind, KIND_COLOURS[i]]), ofRegion: (i) => regions.kind[i] },
	perms: { title: "Permissions", classes: PERMS_CLASSES, ofRegion: permsClass },
	residence: { title: "Residency", classes: RESIDENCE_CLASSES, of: residenceClass },
	bytes: { title: "Bytes", classes: BYTES_CLASSES, of: bytesClass, sample: sampleText(sampled / 4) },
	entropy: { title: "Entropy", stops: VIRIDIS, ends: ["0 bits for each byte", "8: compressed, encrypted or random"],
		share: entropyShare, blank: "not looked at", sample: sampleText(sampled) },
	changed: { title: "Changed", stops: EMBERS, ends: ["unchanged", "all bytes changed"], share: changedShare,
		blank: "not compared" },
};
if (!cells.residence)
	delete MODES.residence;
if (!cells.changed)
	delete MODES.changed;

// Darker by turns, so that neighbours of one kind can be told apart.
function shade(colour, number) {
	return colour.map((value) => value * [1, 0.84, 0.7][number % 3]);
}

// What can be read on a colour (relative luminance, WCAG 2).
function inkOn(colour) {
	const [red, green, blue] = colour.map((value) => (value / 255) ** 2.2);
	return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.19 ? "#10141a" : "#ffffff";
}

function cellColour(mode, cell) {
	if (!mode.classes) {
		const share = mode.share(cell);
		return share === null ? rgb(BLANK) : ramp(mode.stops, share);
	}
	const colour = rgb(mode.classes[mode.ofRegion ? mode.ofRegion(cellRegion(cell)) : mode.of(cell)][1]);
	return mode.shaded ? shade(colour, regions.name[cellRegion(cell)]) : colour;
}

function swatch(colour) {
	const element = make("span", { class: "swatch", "aria-hidden": "true" });
	element.style.background = colour;
	return element;
}

function legendItem(colour, text, bytes) {
	const item = make("li", { "data-bytes": String(bytes), "data-name": text }, swatch(colour), `${text} `);
	item.append(make("b", {}, sizeText(bytes)));
	return item;
}

function rampItem(mode) {
	const bar = make("span", { class: "ramp", "aria-hidden": "true" });
	bar.style.background = `linear-gradient(90deg, ${mode.stops.map(css).join(",")})`;
	return make("li", {}, mode.ends[0], bar, mode.ends[1]);
}
