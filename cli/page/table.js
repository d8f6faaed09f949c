// SPDX-License-Identifier: LGPL-2.1-or-later
// The table: sorted and filtered; of tens of thousands of rows those are made that are seen.

const HEADS = [
	["start", "Address", (i) => hex(regions.start[i]), "mono"],
	["size", "Size", (i) => sizeText(regions.size[i]), "number"],
	["rss", "Resident", (i) => (regions.rss[i] ? sizeText(regions.rss[i]) : "\u2013"), "number"],
	["swap", "Swapped", (i) => (regions.swap[i] ? sizeText(regions.swap[i]) : "\u2013"), "number"],
	["read", "Read", (i) => (regions.read[i] ? sizeText(regions.read[i]) : "\u2013"), "number"],
	["changed", "Changed", (i) => (regions.changed[i] ? sizeText(regions.changed[i]) : "\u2013"), "number"],
	["perms", "Perms", (i) => permsText(i), "mono"],
	["kind", "Kind", (i) => KINDS[regions.kind[i]], ""],
	["name", "Name", (i) => nameOf(i), ""],
].filter(([field]) => regions[field] && (regions.residence || (field !== "rss" && field !== "swap")));

const MOST_PRINTED = 1000;
const table = { rows: [], sort: "start", down: false, active: 0, height: 29, first: -1, all: false };

function sortKey(field) {
	if (field === "name")
		return nameOf;
	return field === "perms" ? permsText : (i) => regions[field][i];
}

function matcher(text) {
	const wanted = text.trim().toLowerCase();
	if (!wanted)
		return () => true;
	const holds = /^(0x)?[0-9a-f]{4,16}$/.test(wanted) ? regionAt(BigInt(wanted.startsWith("0x") ? wanted : `0x${wanted}`)) : -1;
	return (i) => i === holds || nameOf(i).toLowerCase().includes(wanted) || KINDS[regions.kind[i]] === wanted ||
		permsText(i).includes(wanted) || hex(regions.start[i]).includes(wanted);
}

function countRows() {
	const count = table.rows.length, all = regions.count.toLocaleString("en");
	$("table-count").textContent = (count === regions.count ? `${all} regions` : `${count.toLocaleString("en")} of ${all} regions`) +
		(table.all && count > MOST_PRINTED ? `, the first ${MOST_PRINTED} are printed` : "");
}

function arrange() {
	const fits = matcher($("filter").value), key = sortKey(table.sort), rows = [];
	for (let i = 0; i < regions.count; i++)
		if (fits(i))
			rows.push([key(i), i]);
	rows.sort((one, other) => (one[0] < other[0] ? -1 : one[0] > other[0] ? 1 : one[1] - other[1]));
	if (table.down)
		rows.reverse();
	table.rows = rows.map((row) => row[1]);
	table.active = Math.max(0, table.rows.indexOf(chosen.region));
	table.first = -1;
	countRows();
	drawTable();
}

function makeRow(at) {
	const i = table.rows[at];
	const row = make("tr", { "data-region": String(i), tabindex: at === table.active ? "0" : "-1", "aria-rowindex": String(at + 2),
		"aria-selected": String(Boolean(chosen.mask && chosen.mask[i])) });
	for (const [field, , text, kind] of HEADS) {
		const cell = make("td", kind ? { class: kind } : {}, text(i));
		if (field === "kind") {
			const mark = make("span", { class: "mark", "aria-hidden": "true" });
			mark.style.background = KIND_COLOURS[regions.kind[i]];
			cell.prepend(mark);
		}
		if (field === "name" && pathOf(i))
			cell.title = pathOf(i);
		if (field === "name" && regions.marks[i] & 1)
			cell.append(make("span", { class: "tag" }, "deleted"));
		if (field === "name" && regions.marks[i] & 2)
			cell.append(make("span", { class: "tag" }, "new"));
		row.append(cell);
	}
	return row;
}

function spacer(rows) {
	const cell = make("td", { colspan: String(HEADS.length) });
	cell.style.height = `${rows * table.height}px`;
	return make("tr", { class: "spacer", "aria-hidden": "true" }, cell);
}

function drawTable() {
	const frame = $("table-frame"), body = $("table-body"), count = table.rows.length;
	const seen = table.all ? Math.min(count, MOST_PRINTED) : Math.ceil((frame.clientHeight || 600) / table.height) + 20;
	const first = table.all ? 0 : Math.max(0, Math.min(Math.floor(frame.scrollTop / table.height) - 10, count - seen));
	if (first === table.first)
		return;
	table.first = first;
	const last = Math.min(count, first + seen), rows = [];
	for (let at = first; at < last; at++)
		rows.push(makeRow(at));
	body.replaceChildren(...(first ? [spacer(first)] : []), ...rows, ...(last < count && !table.all ? [spacer(count - last)] : []));
	$("table").setAttribute("aria-rowcount", String(count + 1));
	if (rows.length)
		table.height = rows[0].getBoundingClientRect().height || table.height;
}

function showRow(at) {
	const frame = $("table-frame"), head = $("table-head").offsetHeight, top = at * table.height;
	if (top < frame.scrollTop || top + table.height + head > frame.scrollTop + frame.clientHeight)
		frame.scrollTop = top - frame.clientHeight / 3;
	table.first = -1;
	drawTable();
}

function markTable(from) {
	const at = chosen.region >= 0 ? table.rows.indexOf(chosen.region) : -1;
	if (at >= 0)
		table.active = at;
	if (at >= 0 && from !== "table") {
		showRow(at);
		return;
	}
	table.first = -1;
	drawTable();
}

function chooseRow(row) {
	table.active = table.rows.indexOf(Number(row.dataset.region));
	choose([Number(row.dataset.region)], { from: "table" });
	$("table-body").querySelector('tr[tabindex="0"]')?.focus({ preventScroll: true });
}

function onTableKey(event) {
	const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, Home: -Infinity, End: Infinity }[event.key];
	const row = event.target.closest("tr[data-region]");
	if (!row)
		return;
	if (event.key === "Enter" || event.key === " ")
		chooseRow(row);
	else if (by === undefined)
		return;
	else {
		table.active = Math.max(0, Math.min(table.rows.length - 1, table.active + by));
		showRow(table.active);
		$("table-body").querySelector('tr[tabindex="0"]')?.focus({ preventScroll: true });
	}
	event.preventDefault();
}

function sortBy(field) {
	table.down = table.sort === field ? !table.down : field !== "start" && field !== "name" && field !== "kind";
	table.sort = field;
	for (const head of $("table-head").children)
		head.setAttribute("aria-sort", head.dataset.field !== field ? "none" : table.down ? "descending" : "ascending");
	arrange();
}

function startTable() {
	for (const [field, title, , kind] of HEADS) {
		const button = make("button", { type: "button" }, title);
		button.addEventListener("click", () => sortBy(field));
		$("table-head").append(make("th", { scope: "col", "data-field": field, "aria-sort": field === "start" ? "ascending" : "none",
			class: kind === "number" ? "number" : "" }, button));
	}
	$("filter").addEventListener("input", arrange);
	$("table-frame").addEventListener("scroll", drawTable);
	$("table-body").addEventListener("click", (event) => {
		const row = event.target.closest("tr[data-region]");
		if (row)
			chooseRow(row);
	});
	$("table-body").addEventListener("keydown", onTableKey);
	arrange();
}
