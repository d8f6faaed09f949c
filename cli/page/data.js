// SPDX-License-Identifier: LGPL-2.1-or-later
// What the page knows: columns of numbers for regions and cells, one selection that all pictures share.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);

function unpack(text, kind) {
	const raw = atob(text || "");
	const bytes = new Uint8Array(raw.length);
	for (let i = 0; i < raw.length; i++)
		bytes[i] = raw.charCodeAt(i);
	return new kind(bytes.buffer);
}

const COLUMNS = {
	start: BigUint64Array, size: Float64Array, offset: Float64Array, kind: Uint8Array, perms: Uint8Array,
	marks: Uint8Array, name: Uint32Array, rss: Float32Array, swap: Float32Array, read: Float32Array,
	zero: Float32Array, unreadable: Float32Array, changed: Float32Array,
	uncompared: Float32Array, region: Uint32Array, zeros: Uint8Array,
	text: Uint8Array, high: Uint8Array, pointers: Uint8Array, entropy: Uint8Array, sample_start: BigUint64Array,
	sample_size: Uint8Array, sample: Uint8Array,
};

function columns(from) {
	const found = { count: from.count, residence: from.residence };
	for (const [name, kind] of Object.entries(COLUMNS))
		if (typeof from[name] === "string")
			found[name] = unpack(from[name], kind);
	return found;
}

const regions = columns(data.regions);
const cells = columns(data.cells);
cells.size = data.cells.size;

const KINDS = ["anon", "heap", "stack", "file", "shared", "vdso"];
const PERM = { read: 1, write: 2, exec: 4, shared: 8, unknown: 16, sharing: 32 };

function make(tag, attributes, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes || {})) {
		if (name === "class")
			element.className = value;
		else
			element.setAttribute(name, value);
	}
	element.append(...children);
	return element;
}

function sizeText(bytes) {
	const units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
	let unit = 0;
	while (bytes >= 1024 && unit < units.length - 1) {
		bytes /= 1024;
		unit++;
	}
	return `${unit && bytes < 100 && bytes % 1 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

const percent = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(part / whole < 0.1 ? 1 : 0)} %` : "0 %");
const hex = (address) => "0x" + address.toString(16);
const regionEnd = (i) => regions.start[i] + BigInt(regions.size[i]);

function permsText(i) {
	const perms = regions.perms[i], none = perms & PERM.unknown ? "?" : "-";
	return (perms & PERM.read ? "r" : none) + (perms & PERM.write ? "w" : none) + (perms & PERM.exec ? "x" : none) +
		(perms & PERM.sharing ? "?" : perms & PERM.shared ? "s" : "p");
}

const pathOf = (i) => data.names[regions.name[i]] || (regions.name[i] < data.names.length ? "" : "(name left out)");

function nameOf(i) {
	return pathOf(i) || (regions.kind[i] === 0 ? "anonymous" : KINDS[regions.kind[i]]);
}

function baseName(i) {
	const name = nameOf(i);
	return name[0] === "[" ? name : name.slice(name.lastIndexOf("/") + 1) || name;
}

function sum(column) {
	let total = 0;
	for (const value of column || [])
		total += value;
	return total;
}

// The region that holds an address, or -1.
function regionAt(address) {
	let low = 0, high = regions.count - 1;
	while (low <= high) {
		const middle = (low + high) >> 1;
		if (address < regions.start[middle])
			high = middle - 1;
		else if (address >= regionEnd(middle))
			low = middle + 1;
		else
			return middle;
	}
	return -1;
}

// Large cells hold several regions: the one of its first bytes stands for it.
const cellRegion = (cell) => cells.region[cell];

// What of a region is on the map: the sum of all regions is that of all cells.
const shown = (i) => regions.read[i] + regions.zero[i] + regions.unreadable[i];
const isShown = (i) => shown(i) > 0 || (cells.residence && regions.rss[i] + regions.swap[i] > 0);

function cellRegions(cell) {
	const end = cells.start[cell] + BigInt(cells.size), list = [];
	for (let i = cells.region[cell]; i < regions.count && regions.start[i] < end; i++)
		if (isShown(i))
			list.push(i);
	return list;
}

// What is chosen: some regions (a mask), one of them first, and perhaps a cell. Each picture listens.
const chosen = { mask: null, region: -1, cell: -1, label: "" };
const listeners = [];

// The first cell that holds something of a region, or -1.
function firstCell(region) {
	const size = BigInt(cells.size);
	let low = 0, high = cells.count;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (cells.start[middle] + size <= regions.start[region])
			low = middle + 1;
		else
			high = middle;
	}
	return isShown(region) && low < cells.count && cells.start[low] < regionEnd(region) ? low : -1;
}

function choose(list, options) {
	const { cell = -1, label = "", from = null } = options || {};
	chosen.mask = list.length ? new Uint8Array(regions.count) : null;
	for (const region of list)
		chosen.mask[region] = 1;
	chosen.region = list.length ? list[0] : -1;
	chosen.cell = cell < 0 && list.length && !label ? firstCell(list[0]) : cell;
	chosen.label = label;
	for (const listener of listeners)
		listener(from);
}

// A cell is marked if one of its regions is chosen.
const isCellChosen = (cell) => cellRegions(cell).some((i) => chosen.mask[i]);

// The region that is told with a cell: the chosen one if it is there.
const toldRegion = (cell) => (cell === chosen.cell && chosen.region >= 0 ? chosen.region : cellRegion(cell));
