// SPDX-License-Identifier: LGPL-2.1-or-later
// The treemap: kinds, and in them modules, each as large as what it takes (Bruls, Huizing and van Wijk: squarified).

const tree = { measure: "size", boxes: [] };
const MEASURES = [["size", "Virtual"], ["rss", "Resident"], ["swap", "Swapped"], ["read", "Read"]];
const MOST_MODULES = 40;

function measures() {
	return MEASURES.filter(([name]) => regions.residence || (name !== "rss" && name !== "swap"));
}

// By kind, the modules with what they take; small ones together.
function gather(column) {
	const kinds = new Map();
	for (let i = 0; i < regions.count; i++) {
		if (!column[i])
			continue;
		const kind = regions.kind[i], name = pathOf(i) ? baseName(i) : `${nameOf(i)} at ${hex(regions.start[i])}`;
		if (!kinds.has(kind))
			kinds.set(kind, new Map());
		const modules = kinds.get(kind);
		if (!modules.has(name))
			modules.set(name, { name, kind, value: 0, list: [] });
		modules.get(name).value += column[i];
		modules.get(name).list.push(i);
	}
	return [...kinds].map(([kind, modules]) => {
		const all = [...modules.values()].sort((one, other) => other.value - one.value);
		const few = all.slice(0, MOST_MODULES), rest = all.slice(MOST_MODULES);
		if (rest.length)
			few.push({ name: `${rest.length} more`, kind, value: sum(rest.map((one) => one.value)),
				list: rest.flatMap((one) => one.list) });
		return { kind, children: few, value: sum(few.map((one) => one.value)) };
	}).sort((one, other) => other.value - one.value);
}

function worst(row, total, short) {
	const side = total / short;
	return Math.max(...row.map((item) => Math.max(item.area / side / side, side * side / item.area)));
}

function squarify(items, box, put) {
	const whole = sum(items.map((item) => item.value)), area = box.w * box.h;
	let rest = items.map((item) => ({ item, area: (item.value / whole) * area })).filter((one) => one.area > 0);
	let { x, y, w, h } = box;
	while (rest.length) {
		const short = Math.max(1e-6, Math.min(w, h)), row = [rest[0]];
		let total = rest[0].area, score = worst(row, total, short), used = 1;
		while (used < rest.length) {
			const next = worst([...row, rest[used]], total + rest[used].area, short);
			if (next > score)
				break;
			row.push(rest[used]);
			total += rest[used++].area;
			score = next;
		}
		const thick = total / short;
		let along = 0;
		for (const one of row) {
			const long = one.area / thick;
			put(one.item, w >= h ? { x, y: y + along, w: thick, h: long } : { x: x + along, y, w: long, h: thick });
			along += long;
		}
		if (w >= h) {
			x += thick;
			w -= thick;
		} else {
			y += thick;
			h -= thick;
		}
		rest = rest.slice(used);
	}
}

function putBox(frame, module, box) {
	const text = `${module.name} ${sizeText(module.value)}, ${KINDS[module.kind]}`;
	const button = make("button", { type: "button", title: text, "aria-label": text });
	const colour = shade(rgb(KIND_COLOURS[module.kind]), frame.childElementCount);
	Object.assign(button.style, { left: `${box.x}px`, top: `${box.y}px`, width: `${Math.max(1, box.w - 2)}px`,
		height: `${Math.max(1, box.h - 2)}px`, background: css(colour), color: inkOn(colour) });
	button.style.setProperty("--kind", KIND_COLOURS[module.kind]);
	if (box.w < 34 || box.h < 20)
		button.style.padding = "0";
	else
		button.append(make("span", {}, module.name), " ");
	if (box.w >= 60 && box.h >= 40)
		button.append(make("span", { class: "size" }, sizeText(module.value)));
	button.addEventListener("click", () => choose(module.list, { label: module.list.length > 1 ? module.name : "", from: "tree" }));
	frame.append(button);
	tree.boxes.push({ button, list: module.list });
}

function drawTree() {
	const frame = $("tree"), column = regions[tree.measure];
	frame.replaceChildren();
	tree.boxes = [];
	const kinds = gather(column);
	if (!kinds.length)
		frame.append(make("p", { class: "muted none" }, tree.measure === "swap" ? "Nothing is in swap." : "There is nothing."));
	$("tree-legend").replaceChildren(...kinds.map(({ kind, value }) => legendItem(KIND_COLOURS[kind], KINDS[kind], value)));
	squarify(kinds, { x: 0, y: 0, w: frame.clientWidth, h: frame.clientHeight }, (kind, box) =>
		squarify(kind.children, box, (module, place) => {
			if (place.w >= 3 && place.h >= 3)
				putBox(frame, module, place);
		}));
	markTree();
}

function markTree() {
	for (const { button, list } of tree.boxes) {
		const marked = chosen.mask && list.some((region) => chosen.mask[region]);
		button.classList.toggle("chosen", Boolean(marked));
		button.classList.toggle("dim", Boolean(chosen.mask && !marked));
	}
}
